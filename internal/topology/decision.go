/*
Copyright 2026 The RAUTA Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package topology

import (
	"fmt"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MessageBytes bounds the message of a Decision. Conditions admit 32,768 bytes; people read far less, and a status that
// lists every problem of a large route would be the largest part of the object.
const MessageBytes = 1024

// listedProblems bounds how many problems one message spells out.
const listedProblems = 5

// Decision is a condition without its history: what was decided and why. The status room adds observedGeneration and
// lastTransitionTime.
type Decision struct {
	// Type of the condition, such as "Accepted".
	Type string
	// Status is True, False or Unknown.
	Status metav1.ConditionStatus
	// Reason is CamelCase, from the specification where it has one.
	Reason string
	// Message is for a person: it names the field and what to do. At most MessageBytes.
	Message string
}

// Problem is what is wrong with one part of an object.
type Problem struct {
	// Reason is a condition reason.
	Reason string
	// Message names the field and what is wrong with it.
	Message string
}

// True reports whether the decision is positive.
func (d Decision) True() bool { return d.Status == metav1.ConditionTrue }

func yes[T, R ~string](conditionType T, reason R, message string) Decision {
	return decide(conditionType, metav1.ConditionTrue, reason, message)
}

func no[T, R ~string](conditionType T, reason R, message string) Decision {
	return decide(conditionType, metav1.ConditionFalse, reason, message)
}

func decide[T, R ~string](conditionType T, status metav1.ConditionStatus, reason R, message string) Decision {
	return Decision{Type: string(conditionType), Status: status, Reason: string(reason), Message: Bound(message)}
}

// Bound cuts a message to MessageBytes at a character's edge.
func Bound(message string) string {
	if len(message) <= MessageBytes {
		return message
	}
	const ellipsis = "..."
	cut := MessageBytes - len(ellipsis)
	for cut > 0 && !utf8.RuneStart(message[cut]) {
		cut--
	}
	return message[:cut] + ellipsis
}

// enumerate joins problems into one message, spelling out the first few.
func enumerate(problems []string) string {
	if len(problems) <= listedProblems {
		return strings.Join(problems, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(problems[:listedProblems], "; "), len(problems)-listedProblems)
}
