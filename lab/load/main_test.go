package load

import (
	"bytes"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandSendsLogsAndSumsUp(t *testing.T) {
	server := serve(t, answers)
	log := filepath.Join(t.TempDir(), "load.jsonl")
	var stdout bytes.Buffer
	args := []string{"--url", server.URL, "--rate", "100", "--duration", "200ms", "--keepalive", "0.5", "--path", "/x", "--log", log}
	if err := command(t.Context(), args, &stdout, &stdout); err != nil {
		t.Fatal(err)
	}
	if text := stdout.String(); !strings.Contains(text, "version v1") || !strings.Contains(text, "sent late by") {
		t.Errorf("printed\n%s", text)
	}
	file, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if records, err := ReadLog(file); err != nil || len(records) < 5 {
		t.Errorf("the log has %d records (%v), want about 20", len(records), err)
	}
}

func TestCommandFailsWhenARequestFails(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	var stdout bytes.Buffer
	err := command(t.Context(), []string{"--url", server.URL, "--rate", "100", "--duration", "50ms"}, &stdout, &stdout)
	if err == nil || !strings.Contains(err.Error(), "requests failed") {
		t.Errorf("command returned %v, want an error about failed requests", err)
	}
}

func TestCommandRefusesBadArguments(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no URL":          {nil, `URL ""`},
		"an unknown flag": {[]string{"--speed", "1"}, "speed"},
		"a stray word":    {[]string{"now"}, `"now" is not a flag`},
		"no name server":  {[]string{"--url", "http://shop", "--resolver", "127.0.0.1"}, `name server "127.0.0.1"`},
		"no such folder":  {[]string{"--url", "http://127.0.0.1:1", "--log", "/nonexistent/log"}, "creating the log"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := command(t.Context(), test.args, &out, &out); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("command returned %v, want an error about %s", err, test.want)
			}
		})
	}
	var out bytes.Buffer
	if err := command(t.Context(), []string{"-help"}, &out, &out); !errors.Is(err, flag.ErrHelp) || !strings.Contains(out.String(), "-keepalive") {
		t.Errorf("-help returned %v and printed %q", err, out.String())
	}
}
