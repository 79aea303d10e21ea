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

package push

import "github.com/prometheus/client_golang/prometheus"

// metrics of the package. None is labelled by Gateway or replica, so their number does not grow with the cluster.
type metrics struct {
	// resources sent, by what was done with them: upsert or removal.
	resources *prometheus.CounterVec
	// bytes of the encoded updates that carried them.
	bytes prometheus.Counter
	// commits answered, by answer: acknowledged or refused.
	commits *prometheus.CounterVec
	// drift seen: a replica that refused a commit, or serves what it did not acknowledge.
	drift prometheus.Counter
	// conversations that ended with an error.
	failures prometheus.Counter
	// conversations that are open.
	sessions prometheus.Gauge
	// seconds from the first chunk of a change to its acknowledgement.
	seconds prometheus.Histogram
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		resources: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rauta_push_resources_total", Help: "Resources sent to proxy replicas.",
		}, []string{"operation"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rauta_push_bytes_total", Help: "Encoded size of the resources and names sent to proxy replicas.",
		}),
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rauta_push_commits_total", Help: "Commits that proxy replicas answered.",
		}, []string{"answer"}),
		drift: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rauta_push_drift_total", Help: "Times a proxy replica held another table than it had acknowledged.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rauta_push_session_failures_total", Help: "Sessions with proxy replicas that failed.",
		}),
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rauta_push_sessions", Help: "Open sessions with proxy replicas.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rauta_push_acknowledgement_seconds", Help: "Time from sending a change to its acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
	for _, operation := range []string{operationUpsert, operationRemoval} {
		m.resources.WithLabelValues(operation)
	}
	for _, answer := range []string{answerAcknowledged, answerRefused} {
		m.commits.WithLabelValues(answer)
	}
	if registerer != nil {
		registerer.MustRegister(m.resources, m.bytes, m.commits, m.drift, m.failures, m.sessions, m.seconds)
	}
	return m
}

// Values of labels.
const (
	operationUpsert    = "upsert"
	operationRemoval   = "removal"
	answerAcknowledged = "acknowledged"
	answerRefused      = "refused"
)
