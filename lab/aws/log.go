package aws

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

// Request is one request the double answered.
type Request struct {
	Time      time.Time `json:"time"`
	Service   string    `json:"service"`   // secretsmanager, ssm, kms, ecr, eks, sts, route53 or elasticloadbalancing
	Operation string    `json:"operation"` // for example BatchGetSecretValue
	AccessKey string    `json:"access_key,omitempty"`
	Names     []string  `json:"names,omitempty"` // the ids that were asked for
	Status    int       `json:"status"`
	Error     string    `json:"error,omitempty"` // the exception's name
	ID        string    `json:"id"`              // x-amzn-RequestId
}

type requestLog struct {
	mu   sync.Mutex
	all  []Request
	out  io.Writer
	fail error // the first error of out; writing stops there, answering does not
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, r)
	if l.out == nil || l.fail != nil {
		return
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	l.fail = err
}

// Requests returns every request answered so far, oldest first.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.all)
}

// LogError is the first error of writing to Options.Log, or nil.
func (s *Server) LogError() error {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.fail
}
