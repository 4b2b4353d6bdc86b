package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/checkout/internal/api"
)

// TestStoppingLosesNoRequest lets clients send without a pause while the service is told to stop. Each
// must be asked to leave, several times over, and must have every request answered until then.
func TestStoppingLosesNoRequest(t *testing.T) {
	const drain = time.Second // hundreds of times what the clients need, also on a busy machine
	cfg, err := ReadConfig(environment(map[string]string{"VERSION": "v1"}))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- serve(ctx, listener, api.New(cfg.Shop(), log), drain, log) }()

	url := "http://" + listener.Addr().String() + "/receipts/verify"
	clients := make(chan string, 8)
	var running sync.WaitGroup
	for range cap(clients) {
		running.Go(func() { clients <- sendUntilAskedToLeave(url) })
	}
	time.AfterFunc(100*time.Millisecond, stop)
	running.Wait()
	for range cap(clients) {
		if problem := <-clients; problem != "" {
			t.Error(problem)
		}
	}
	if err := <-stopped; err != nil {
		t.Errorf("serve returned %v", err)
	}
	if response, err := http.Get(url); err == nil {
		response.Body.Close()
		t.Error("a stopped service still answers")
	}
}

// sendUntilAskedToLeave verifies receipts until the answers to five have closed their connections, which also
// proves that new ones were still welcome, and tells the first request that was not answered.
func sendUntilAskedToLeave(url string) string {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for n, asked := 0, 0; asked < 5; n++ {
		// A body of unknown kind cannot be sent twice, so the transport does not try again.
		body := io.MultiReader(strings.NewReader(`{"order":"o","receipt":"r"}`))
		response, err := client.Post(url, "application/json", body)
		if err != nil {
			return fmt.Sprintf("request %d: %v", n, err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Sprintf("request %d answered %s", n, response.Status)
		}
		if response.Close {
			asked++
		}
	}
	return ""
}

func TestRunRefusesABadConfiguration(t *testing.T) {
	err := run(t.Context(), func(string) string { return "" }, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "PAYMENT_KEY") {
		t.Errorf("run returned %v, want a complaint about PAYMENT_KEY", err)
	}
}
