package cluster

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// chatting is where client-go's own log goes. The process has one such log, and it may not be exchanged while it is written to.
var (
	chatting  atomic.Pointer[func(string)]
	chatterOn sync.Once
)

// chatter takes what client-go says by itself, of which it asks nobody: it would go to stderr, past every mask. The last cluster
// that was connected to gets it; nil drops it.
func chatter(warn func(string)) {
	if warn == nil {
		warn = func(string) {}
	}
	chatting.Store(&warn)
	chatterOn.Do(func() {
		klog.SetSlogLogger(slog.New(slog.NewTextHandler(speaker{}, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: timeless})))
	})
}

// timeless leaves the time out: the runner's log has it.
func timeless(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

type speaker struct{}

func (speaker) Write(p []byte) (int, error) {
	(*chatting.Load())("client-go: " + strings.TrimSpace(string(p)))
	return len(p), nil
}
