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

package config

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

const (
	// maxExpression in bytes: HTTPHeaderMatch.value has at most 4,096.
	maxExpression = 4096
	// maxProgram is how many instructions an expression may become: repetitions make much of few bytes, and what a
	// request costs grows with it.
	maxProgram = 10_000
)

// wholePattern makes an expression in RE2 syntax one that takes whole strings.
func wholePattern(expression string) (*regexp.Regexp, error) {
	if len(expression) > maxExpression {
		return nil, fmt.Errorf("has %d bytes, at most %d are allowed", len(expression), maxExpression)
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		if wrong := (*syntax.Error)(nil); errors.As(err, &wrong) {
			return nil, fmt.Errorf("%q is not a regular expression: %s", expression, wrong.Code)
		}
		return nil, fmt.Errorf("%q is not a regular expression: %w", expression, err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, fmt.Errorf("%q cannot be compiled: %w", expression, err)
	}
	if len(program.Inst) > maxProgram {
		return nil, fmt.Errorf("%q takes %d instructions, at most %d are allowed", expression, len(program.Inst), maxProgram)
	}
	// Written anew from what was parsed: "a)(b" or an open "\Q" must not become something else within the group.
	return regexp.Compile(`\A(?:` + parsed.String() + `)\z`)
}
