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

package upstream

import (
	"slices"
	"sync"
)

// Split divides requests between the shares of a rule by weight, with smooth weighted round robin: each choice adds to
// every share's credit its weight, takes the share with the most credit, and takes the sum of all weights off it. So
// every window of as many requests as the sum of the weights (divided by their greatest common divisor) holds exactly
// as many of each share as its weight says, spread evenly, from whichever goroutines they come.
type Split struct {
	weights []int
	sum     int

	mu     sync.Mutex
	credit []int
}

// NewSplit makes a split of shares with weights above 0.
func NewSplit(weights []int) *Split {
	s := &Split{weights: weights, credit: make([]int, len(weights))}
	for _, weight := range weights {
		s.sum += weight
	}
	return s
}

// Equal says whether the other split has the same weights, so that it may go on where this one is.
func (s *Split) Equal(weights []int) bool { return s != nil && slices.Equal(s.weights, weights) }

// Next gives the index of the share that takes the next request, or -1 when there is none.
func (s *Split) Next() int {
	if len(s.weights) < 2 {
		return len(s.weights) - 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	chosen := 0
	for i, weight := range s.weights {
		s.credit[i] += weight
		if s.credit[i] > s.credit[chosen] {
			chosen = i
		}
	}
	s.credit[chosen] -= s.sum
	return chosen
}
