package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Record is one request and what came of it.
type Record struct {
	Time      time.Time `json:"time"`    // when it was sent, to the nanosecond
	Request   string    `json:"request"` // the scenario's name for it, e.g. "POST /orders"
	Status    int       `json:"status"`  // 0: no answer
	Version   string    `json:"version"` // X-Version of the answer
	LatencyMS float64   `json:"latency_ms"`
	Error     string    `json:"error,omitempty"` // why there is no whole answer
	KeepAlive bool      `json:"keepalive"`       // sent by a client that keeps its connection
}

// Failed tells whether a customer would call this a failure: there is no whole answer, or it is none of 2xx and 3xx.
func (r Record) Failed() bool {
	return r.Error != "" || r.Status < 200 || r.Status > 399
}

// Between returns the records of requests that were sent from one time on and before another.
func Between(records []Record, from, to time.Time) []Record {
	var within []Record
	for _, r := range records {
		if !r.Time.Before(from) && r.Time.Before(to) {
			within = append(within, r)
		}
	}
	return within
}

// ReadLog reads a log that a [Run] wrote. Its lines are in the order of the answers; the records returned, of the sending.
func ReadLog(log io.Reader) ([]Record, error) {
	var records []Record
	decoder := json.NewDecoder(log)
	for {
		var record Record
		err := decoder.Decode(&record)
		if errors.Is(err, io.EOF) {
			return inOrder(records), nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading line %d of the load's log: %w", len(records)+1, err)
		}
		records = append(records, record)
	}
}
