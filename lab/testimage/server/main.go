// Command server is what test pods run: an HTTP server whose misbehaviour is chosen by flags. It has no graceful shutdown
// unless asked for: what survives with it survives with anything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	address := flag.String("listen", ":8080", "address to listen on")
	version := flag.String("version", "none", "what the header Version says")
	say := flag.String("say", "", "a line to log at the start")
	lines := flag.Int("lines", 0, "how many numbered lines to log at the start")
	exit := flag.Int("exit", -1, "end with this code at once; -1 does not")
	crashAfter := flag.Duration("crash-after", 0, "end with code 1 after this time; 0 does not")
	readyAfter := flag.Duration("ready-after", 0, "answer /ready with 503 until then; less than 0 is for ever")
	once := flag.String("once", "", "a file that the first run makes; a run that finds it ends with code 4 at once")
	write := flag.String("write", "", "a file to write 8 MiB to at the start")
	memory := flag.Int("memory", 0, "MiB to take at the start")
	graceful := flag.Duration("graceful", 0, "on SIGTERM go on serving for this time, then end cleanly; 0 ends at once")
	delay := flag.Duration("delay", 0, "how long each answer takes")
	fail := flag.Int("fail", 0, "every so many-th answer is 500; 0 is none")
	failWhile := flag.String("fail-while", "", "a file: answers fail only while it is there; empty is always")
	flag.Parse()

	if *say != "" {
		log.Print(*say)
	}
	for i := range *lines {
		log.Printf("line %d of %d", i+1, *lines)
	}
	if *exit >= 0 {
		log.Printf("ending with code %d, as asked", *exit)
		os.Exit(*exit)
	}
	if *once != "" {
		startOnce(*once)
	}
	if *write != "" {
		if err := os.WriteFile(*write, make([]byte, 8<<20), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	if *memory > 0 {
		take(*memory)
	}
	if *crashAfter > 0 {
		time.AfterFunc(*crashAfter, func() { log.Fatal("crashing, as asked") })
	}
	ready := &atomic.Bool{}
	if *readyAfter >= 0 {
		time.AfterFunc(*readyAfter, func() { ready.Store(true) })
	}
	server := &http.Server{Addr: *address, Handler: handler(*version, ready, *delay, failing(int64(*fail), *failWhile)), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	if *graceful > 0 {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		go func() {
			defer close(ended)
			<-signals
			time.Sleep(*graceful)
			_ = server.Shutdown(context.Background())
		}()
	}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-ended
}

// handler answers with who it is, and echoes environment variables whose names begin with ECHO_. /metrics says how often it did.
func handler(version string, ready *atomic.Bool, delay time.Duration, fails func(answers int64) bool) http.Handler {
	host, _ := os.Hostname()
	mux := http.NewServeMux()
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			http.Error(w, "not ready, as asked", http.StatusServiceUnavailable)
		}
	})
	good, bad := &atomic.Int64{}, &atomic.Int64{}
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE answers_total counter\nanswers_total{code=\"200\"} %d\nanswers_total{code=\"500\"} %d\n", good.Load(), bad.Load())
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(delay)
		w.Header().Set("Version", version)
		w.Header().Set("X-Version", version) // where the load generator looks
		w.Header().Set("Pod", host)
		if fails(good.Load() + bad.Load()) {
			bad.Add(1)
			http.Error(w, "failing, as asked", http.StatusInternalServerError)
			return
		}
		defer good.Add(1)
		for _, e := range os.Environ() {
			if strings.HasPrefix(e, "ECHO_") {
				fmt.Fprintln(w, e)
			}
		}
	})
	return mux
}

// failing says whether the answer after so many others fails.
func failing(every int64, file string) func(answers int64) bool {
	return func(answers int64) bool {
		if every == 0 || answers%every != every-1 {
			return false
		}
		if file == "" {
			return true
		}
		_, err := os.Stat(file)
		return err == nil
	}
}

// startOnce lets only one run of the container live: what works on a clean disk may not work on a used one.
func startOnce(marker string) {
	file, err := os.OpenFile(marker, os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		log.Printf("%s is there: another run was here before", marker)
		os.Exit(4)
	}
	if err != nil {
		log.Fatal(err)
	}
	_ = file.Close()
}

// take holds memory that is really written to.
func take(mebibytes int) {
	held := make([][]byte, 0, mebibytes)
	for range mebibytes {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		held = append(held, block)
	}
	log.Printf("holding %d MiB", len(held))
}
