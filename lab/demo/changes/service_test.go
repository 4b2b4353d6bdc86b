package changes

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// startService builds the clone's service and runs it with the environment that its own
// manifest gives it: what is wrong in the manifest must be wrong here.
func startService(t *testing.T, clone string) (url string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "checkout")
	if output, built := goRun(t, clone, nil, "build", "-buildvcs=false", "-o", binary, "."); !built {
		t.Fatalf("building the service: %s", output)
	}
	port := freePort(t)
	service := exec.Command(binary)
	service.Env = append(environment(t, filepath.Join(clone, "deploy")), "PORT="+port, "DRAIN_PERIOD=0s")
	var log bytes.Buffer
	service.Stdout, service.Stderr = &log, &log
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		service.Process.Signal(syscall.SIGTERM)
		if err := service.Wait(); err != nil {
			t.Errorf("the service stopped with %v\n%s", err, &log)
		}
	})
	url = "http://127.0.0.1:" + port
	for deadline := time.Now().Add(10 * time.Second); ; {
		response, err := http.Get(url + "/readyz")
		if err == nil {
			response.Body.Close()
			return url
		}
		if time.Now().After(deadline) {
			t.Fatalf("the service does not get ready: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// environment renders the manifest as the deploy action does, and returns the environment of its container.
func environment(t *testing.T, folder string) []string {
	t.Helper()
	var env []string
	for _, object := range render(t, folder) {
		for _, path := range [][]string{{"data"}, {"stringData"}} { // of a ConfigMap, of a Secret
			values, _, err := unstructured.NestedStringMap(object.Object, path...)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range values {
				env = append(env, name+"="+value)
			}
		}
		containers, _, err := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
		if err != nil {
			t.Fatal(err)
		}
		for _, container := range containers { // of the Deployment
			for _, variable := range container.(map[string]any)["env"].([]any) {
				pair := variable.(map[string]any)
				env = append(env, fmt.Sprintf("%s=%s", pair["name"], pair["value"]))
			}
		}
	}
	return env
}

func render(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	files, err := manifest.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	replicas, err := manifest.ParseValues("replicas: 1", folder)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := manifest.Render(files, manifest.Input{
		Service: "checkout", Environment: "test", Namespace: "test", Commit: strings.Repeat("c", 40),
		Image:  "registry.example.com/checkout@sha256:" + strings.Repeat("a", 64),
		Values: replicas,
	})
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[secrets.Ref]secrets.Value)
	for _, ref := range rendered.Refs() {
		values[ref] = secrets.Value{Data: secrets.Bytes("a key for tests alone")}
		if ref.Kind == secrets.Param {
			values[ref] = secrets.Value{Data: secrets.Bytes("19")}
		}
	}
	objects, err := rendered.Fill(values)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
