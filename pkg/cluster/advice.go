package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// clockOff is how far this machine's clock may be off before that is named as a cause. Signatures are refused from 5 minutes on.
const clockOff = 3 * time.Minute

// advised adds to a 401 what lets the identity in, and to a server that has never answered from where it can be reached. It
// stands outside of all that waits and repeats: what it sees is final.
type advised struct {
	next     http.RoundTripper
	identity Identity
	reach    string
	reached  *atomic.Bool
}

func (a *advised) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(req)
	if err != nil {
		if a.reach != "" && !a.reached.Load() && unreached(err) {
			return nil, fmt.Errorf("%w: %s", err, a.reach)
		}
		return nil, err
	}
	a.reached.Store(true)
	if resp.StatusCode != http.StatusUnauthorized {
		return resp, nil
	}
	message := "the API server does not accept this job's token"
	if off := clock(resp); off.Abs() > clockOff {
		message += fmt.Sprintf("; this machine's clock is %s off (set it by NTP)", off.Round(time.Second))
	}
	if advice := a.identity.Advise(req.Context(), http.StatusUnauthorized); advice != "" {
		message += "; " + advice
	}
	return refusal(resp, message)
}

// unreached says that no connection was made.
func unreached(err error) bool {
	var away *UnreachableError
	var op *net.OpError
	var name *net.DNSError
	return errors.As(err, &away) || errors.As(err, &name) || errors.As(err, &op) && op.Op == "dial"
}

// clock is how far this machine's clock is ahead of the server's.
func clock(resp *http.Response) time.Duration {
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return time.Since(at)
}

// refusal is the same answer with words of ours.
func refusal(resp *http.Response, message string) (*http.Response, error) {
	_ = resp.Body.Close()
	data, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Reason: metav1.StatusReasonUnauthorized, Code: http.StatusUnauthorized, Message: message,
	})
	if err != nil {
		return nil, err
	}
	resp.Header.Set("Content-Type", "application/json")
	resp.Header.Del("Content-Length")
	resp.ContentLength = int64(len(data))
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, nil
}
