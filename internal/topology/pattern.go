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
	"errors"
	"fmt"
	"regexp/syntax"
	"sync"
)

const (
	// maxExpression in bytes, and maxProgram in instructions, are the proxy's bounds: repetitions make much of few bytes, and
	// what a request costs grows with it.
	maxExpression = 4096
	maxProgram    = 10_000
	// rememberedPatterns bounds the verdicts that are kept.
	rememberedPatterns = 4096
)

// patterns remembers what was found of each expression: a Gateway's routes are looked at for every change of one of them.
var patterns = verdicts{known: map[string]string{}}

type verdicts struct {
	mu    sync.Mutex
	known map[string]string
}

// patternProblem says why an expression cannot be matched with; empty when it can. The syntax is RE2's.
func patternProblem(expression string) string {
	patterns.mu.Lock()
	defer patterns.mu.Unlock()
	if verdict, known := patterns.known[expression]; known {
		return verdict
	}
	if len(patterns.known) >= rememberedPatterns {
		clear(patterns.known)
	}
	verdict := Bound(judge(expression))
	patterns.known[expression] = verdict
	return verdict
}

func judge(expression string) string {
	if len(expression) > maxExpression {
		return fmt.Sprintf("has %d bytes, at most %d are allowed", len(expression), maxExpression)
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if wrong := (*syntax.Error)(nil); errors.As(err, &wrong) {
		return fmt.Sprintf("%q is not a regular expression (RE2): %s", expression, wrong.Code)
	}
	if err != nil {
		return fmt.Sprintf("%q is not a regular expression (RE2): %v", expression, err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return fmt.Sprintf("%q cannot be compiled: %v", expression, err)
	}
	if len(program.Inst) > maxProgram {
		return fmt.Sprintf("%q takes %d instructions, at most %d are allowed", expression, len(program.Inst), maxProgram)
	}
	return ""
}
