// Command pause is the lab's smallest image. It holds a pod's namespaces together, as Kubernetes' own pause does, and with
// the argument `answer` it is the beacon: a web server whose answer proves that a load balancer's address reaches a pod.
//
//	pause answer
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	done := make(chan os.Signal, 1)
	signal.Notify(done, syscall.SIGINT, syscall.SIGTERM)
	if len(os.Args) > 1 && os.Args[1] == "answer" {
		answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "beacon\n") }
		server := &http.Server{Addr: ":8080", Handler: http.HandlerFunc(answer), ReadHeaderTimeout: 5 * time.Second}
		go func() {
			fmt.Fprintf(os.Stderr, "pause: answering: %v\n", server.ListenAndServe())
			os.Exit(1)
		}()
	}
	// As the first process of a shared process namespace it inherits orphans, and has to bury them.
	orphans := make(chan os.Signal, 1)
	signal.Notify(orphans, syscall.SIGCHLD)
	for {
		select {
		case <-done:
			return
		case <-orphans:
			for {
				if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || pid <= 0 {
					break
				}
			}
		}
	}
}
