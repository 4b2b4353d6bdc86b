//go:build lab

package cluster

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/org/promote/lab/world"
)

// inside says to the test that it runs in namespaces of its own, and which program is the lab's.
const inside = "PROMOTE_LAB_TEST_PROGRAM"

// TestLab brings a lab up and down and kills it in several ways. It is not the machine's lab: it runs in a network and a mount
// namespace of its own, with its own folder and control group, so a lab that others use is not touched.
func TestLab(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test starts a cluster: run it as root")
	}
	if os.Getenv(inside) == "" {
		testInside(t)
		return
	}
	ctx := context.Background()
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// The few files that daemons make outside of the lab's folder must neither meet those of another lab nor be hidden by them.
	for _, dir := range []string{"/run", "/var/lib", "/var/log"} {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	l, err := Open(Config{StateDir: filepath.Join(t.TempDir(), "lab"), Program: os.Getenv(inside), Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(ctx); err != nil {
			t.Error(err)
		}
	})
	before := traces(t, l)

	t.Run("refuses an address range, a firewall table and a port that others use, and names them", func(t *testing.T) {
		testForeign(t, l)
		mustDown(t, l)
	})
	t.Run("comes up", func(t *testing.T) {
		start := time.Now()
		mustUp(t, l, &out)
		t.Logf("took %s", time.Since(start))
		for _, s := range kernelSettings {
			if now, err := os.ReadFile(s.file); err != nil || strings.TrimSpace(string(now)) != s.value {
				t.Errorf("%s is %q, want %s: %v", s.file, now, s.value, err)
			}
		}
	})
	t.Run("finds itself up the second time and leaves every process alone", func(t *testing.T) {
		first := pids(l)
		mustUp(t, l, &out)
		if !strings.Contains(out.String(), "was up already") {
			t.Errorf("it said:\n%s", &out)
		}
		if diff := cmp.Diff(first, pids(l)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("gives each environment's runner its own namespace and nothing else", func(t *testing.T) { testRunners(t, l) })
	for _, names := range killed(l) {
		t.Run("heals a killed "+strings.Join(names, ", "), func(t *testing.T) {
			for _, name := range names {
				if err := l.Stop(ctx, name, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			mustUp(t, l, &out)
			if err := l.Status(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("keeps pods running while the API server is away", func(t *testing.T) {
		url := beaconURL(t, l)
		if err := l.Stop(ctx, "kube-apiserver", syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if err := ask(ctx, &http.Transport{DisableKeepAlives: true}, url); err != nil {
				t.Error(err)
			}
		}
		if err := l.Start(ctx, "kube-apiserver"); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("heals when all of it was killed", func(t *testing.T) {
		for _, c := range l.components() {
			if p, ok := l.recorded(c.name); ok {
				syscall.Kill(p.Pid, syscall.SIGKILL)
			}
		}
		mustUp(t, l, &out)
	})
	t.Run("heals when containers and network were lost as well, as in a reboot", func(t *testing.T) {
		if err := l.stopAll(ctx); err != nil {
			t.Fatal(err)
		}
		if err := l.killLeftovers(ctx); err != nil {
			t.Fatal(err)
		}
		if err := l.unmountAll(); err != nil {
			t.Fatal(err)
		}
		if err := l.networkDown(ctx); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l.path("boot"), []byte("an earlier boot\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		mustUp(t, l, &out)
	})
	t.Run("leaves nothing behind", func(t *testing.T) {
		mustDown(t, l)
		if diff := cmp.Diff(before, traces(t, l)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("leaves nothing behind when it was killed before, its records included", func(t *testing.T) {
		mustUp(t, l, &out)
		for _, c := range l.components() {
			if err := l.forget(c.name); err != nil {
				t.Fatal(err)
			}
		}
		mustDown(t, l)
		if diff := cmp.Diff(before, traces(t, l)); diff != "" {
			t.Error(diff)
		}
	})
}

// testInside makes what needs the network (packages, builds), then runs this test again in namespaces of its own.
func testInside(t *testing.T) {
	ctx := context.Background()
	l, err := Open(Config{StateDir: filepath.Join(t.TempDir(), "builds")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(l.path("log"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := l.installPackages(ctx); err != nil {
		t.Fatal(err)
	}
	for _, b := range builds {
		if _, err := l.build(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(t.TempDir(), "lab")
	compiler, err := l.goProgram(ctx)
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command(compiler, "build", "-trimpath", "-o", program, ".")
	build.Dir = l.source
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the lab: %v\n%s", err, out)
	}
	again := exec.Command(os.Args[0], "-test.run=^TestLab$", "-test.v", "-test.timeout=15m")
	again.Env = append(os.Environ(), inside+"="+program)
	again.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	out, err := again.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

func mustUp(t *testing.T, l *Lab, out *bytes.Buffer) {
	t.Helper()
	out.Reset()
	if err := l.Up(context.Background()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func mustDown(t *testing.T, l *Lab) {
	t.Helper()
	if err := l.Down(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// testForeign stands in the lab's way as other programs of a machine might.
func testForeign(t *testing.T, l *Lab) {
	sh := func(script string) {
		t.Helper()
		if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", script, err, out)
		}
	}
	refused := func(want string) {
		t.Helper()
		if err := l.Up(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
	sh("ip link add other0 type bridge && ip address add 198.18.7.1/24 dev other0 && ip link set other0 up")
	refused("198.18.7.0/24 dev other0")
	sh("ip link delete other0")

	sh("nft add table ip kube-proxy")
	refused("nft table ip kube-proxy")
	sh("nft delete table ip kube-proxy")

	listener, err := net.Listen("tcp", registry())
	if err != nil {
		t.Fatal(err)
	}
	refused(registry() + " is taken by process")
	listener.Close()
}

func pids(l *Lab) map[string]int {
	all := map[string]int{}
	for _, c := range l.components() {
		p, _ := l.recorded(c.name)
		all[c.name] = p.Pid
	}
	return all
}

func beaconURL(t *testing.T, l *Lab) string {
	t.Helper()
	client, err := l.client()
	if err != nil {
		t.Fatal(err)
	}
	service, err := client.CoreV1().Services(systemNamespace).Get(context.Background(), "beacon", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + service.Status.LoadBalancer.Ingress[0].IP
}

// testRunners asks the API server with each runner's own credentials.
func testRunners(t *testing.T, l *Lab) {
	ctx := context.Background()
	w, err := world.Load(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range world.Environments {
		cfg, err := clientcmd.BuildConfigFromFlags("", w.Kubeconfig[env])
		if err != nil {
			t.Fatal(err)
		}
		client, err := kubernetes.NewForConfig(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range append([]string{"default", systemNamespace}, world.Environments...) {
			_, err := client.AppsV1().Deployments(other).List(ctx, metav1.ListOptions{})
			if allowed := err == nil; allowed != (other == env) {
				t.Errorf("the runner of %s may list Deployments in %s: %v", env, other, allowed)
			}
		}
		if _, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{}); err == nil {
			t.Errorf("the runner of %s may list nodes", env)
		}
		if raw, err := clientcmd.LoadFromFile(w.Kubeconfig[env]); err != nil || raw.Contexts[raw.CurrentContext].Namespace != env {
			t.Errorf("the context of %s is in another namespace: %v", env, err)
		}
	}
}

// killed are the components, those together that need nothing of one another: what others stand on is killed alone.
func killed(l *Lab) [][]string {
	base := map[string]bool{}
	for _, c := range l.components() {
		for _, name := range c.after {
			base[name] = true
		}
	}
	var alone [][]string
	var together []string
	for _, c := range l.components() {
		if base[c.name] {
			alone = append(alone, []string{c.name})
			continue
		}
		together = append(together, c.name)
	}
	return append(alone, together)
}

// traces is everything of a machine that the lab changes while it is up.
func traces(t *testing.T, l *Lab) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, args := range [][]string{
		{"ip", "-brief", "link"}, {"ip", "-brief", "address"}, {"ip", "route", "show", "table", "all"}, {"ip", "netns", "list"},
		{"nft", "list", "tables"}, {"cat", "/proc/self/mounts"}, {"cat", kernelSettings[0].file, kernelSettings[1].file},
		{"find", "/run", "/var/lib", "/var/log", "/etc", "/opt", "/usr/libexec", "-maxdepth", "2", "-type", "d"},
	} {
		out, err := exec.Command(args[0], args[1:]...).Output()
		if err != nil && args[0] != "find" { // some of find's folders may not exist
			t.Fatalf("%v: %v", args, err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		// The mount command's own notes, which every program that mounts makes; and the mounts of the machine's lab, which this
		// namespace has inherited and loses when that lab removes their folders.
		lines = slices.DeleteFunc(lines, func(line string) bool { return line == "/run/mount" || strings.Contains(line, world.UsualDir) })
		slices.Sort(lines)
		all[strings.Join(args, " ")] = lines
	}
	all["control groups"] = l.cgroupFolders()
	err := processes(func(_ int, args []string) {
		if strings.Contains(strings.Join(args[1:], " ")+args[0], l.dir+"/") {
			all["processes"] = append(all["processes"], strings.Join(args, " "))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
