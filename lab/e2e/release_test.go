//go:build lab

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/org/promote/pkg/cluster"
)

// deployed is a repository whose commits are deployed by hand, one after the other, into a namespace of its own.
type deployed struct {
	*hub
	p     *place
	image name.Digest
	name  string
}

// newDeployed makes the repository of a service.
func newDeployed(t *testing.T, service string) *deployed {
	t.Helper()
	d := &deployed{hub: newHub(t), p: newPlace(t, "test"), name: service}
	pushed, err := testImage()
	d.must(err)
	source, err := name.NewDigest(pushed)
	d.must(err)
	img, err := remote.Image(source)
	d.must(err)
	// In a repository of its own: evidence hangs on the digest, and other tests deploy it too.
	d.image, err = name.NewDigest(d.repository(service) + "@" + source.DigestStr())
	d.must(err, remote.Write(d.image, img))
	return d
}

// in is the same for a subtest.
func (d *deployed) in(t *testing.T) *deployed {
	sub, h := *d, *d.hub
	h.t = t
	sub.hub, sub.p = &h, d.p.in(t)
	return &sub
}

// commitManifest commits a manifest to main and gives the test image the commit's tag.
func (d *deployed) commitManifest(text string) string {
	d.t.Helper()
	head := d.commit("main", map[string]string{"deploy/" + d.name + ".yaml": text})
	descriptor, err := remote.Get(d.image)
	d.must(err)
	d.must(remote.Tag(d.image.Context().Tag(head), descriptor))
	return head
}

// inputs are the deploy action's, with changes.
func (d *deployed) inputs(more map[string]string) map[string]string {
	inputs := map[string]string{
		"environment": "test", "namespace": d.p.namespace, "kubeconfig": d.p.kubeconfig, "service": d.name, "image": d.image.Context().Name(),
		"manifests": "deploy", "drain": "0s", "timeout": "1m",
	}
	for k, v := range more {
		inputs[k] = v
	}
	return inputs
}

// deploy runs the action for a commit.
func (d *deployed) deploy(commit string, more map[string]string) result {
	d.t.Helper()
	d.git(d.clone, "checkout", "--quiet", commit)
	return d.run("deploy", d.byHand(commit), d.inputs(more))
}

// mustDeploy wants the candidate to serve.
func (d *deployed) mustDeploy(commit string, more map[string]string) result {
	d.t.Helper()
	res := d.deploy(commit, more)
	if res.code != 0 || res.outputs["result"] != "deployed" {
		d.t.Fatalf("commit %s was not deployed: exit code %d\n%s", commit[:7], res.code, res.output)
	}
	return res
}

// selects is the release that a Service selects.
func (d *deployed) selects(service string) string {
	d.t.Helper()
	s, err := d.p.admin.CoreV1().Services(d.p.namespace).Get(d.t.Context(), service, metav1.GetOptions{})
	d.must(err)
	return s.Spec.Selector[cluster.LabelRelease]
}

// pods are the live pods that labels select.
func (d *deployed) pods(selector string) []corev1.Pod {
	d.t.Helper()
	list, err := d.p.admin.CoreV1().Pods(d.p.namespace).List(d.t.Context(), metav1.ListOptions{LabelSelector: selector})
	d.must(err)
	var live []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			live = append(live, pod)
		}
	}
	return live
}

// web is a Deployment of the test image with as many pods and a flag, and no Service.
func web(replicas int, flag string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: "{{ .Image }}"
          args: [%q]
          envFrom: [{configMapRef: {name: web}}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {flag: %q}
`, replicas, flag, flag)
}

// serving is a Service of web's pods.
func serving(name string) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n", name)
}

const scaler = `---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
`

// TestEveryServiceMoves has a service behind two Services, one of which a later commit drops.
func TestEveryServiceMoves(t *testing.T) {
	t.Parallel()
	d := newDeployed(t, "web")
	first := d.commitManifest(web(2, "-version=one") + serving("web") + serving("internal"))
	second := d.commitManifest(web(2, "-version=two") + serving("web"))
	d.mustDeploy(first, nil)
	res := d.mustDeploy(second, nil)
	for _, service := range []string{"web", "internal"} {
		if got := d.selects(service); got != res.outputs["release"] {
			t.Errorf("Service %s selects %q, want %q", service, got, res.outputs["release"])
		}
	}
	if !strings.Contains(res.output, "::warning") || !strings.Contains(res.output, "internal is not in the manifests any more") {
		t.Errorf("the dropped Service is not warned of:\n%s", res.output)
	}
	d.must(d.p.admin.CoreV1().Services(d.p.namespace).Delete(t.Context(), "internal", metav1.DeleteOptions{}))

	t.Run("another's Service with the same pods is refused before there is a candidate", func(t *testing.T) {
		d := d.in(t)
		_, err := d.p.admin.CoreV1().Services(d.p.namespace).Create(t.Context(), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "theirs"},
			Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
		}, metav1.CreateOptions{})
		d.must(err)
		third := d.commitManifest(web(2, "-version=three") + serving("web") + serving("theirs"))
		res := d.deploy(third, nil)
		if res.code != 1 || !strings.Contains(errorsIn(res.output), "theirs exists and was not made by promote") {
			t.Errorf("exit code %d\n%s", res.code, res.output)
		}
		if got := len(d.pods("app=web")); got != 2 {
			t.Errorf("there are %d pods, want the two that serve", got)
		}
		if res.outputs["release"] == "" || res.outputs["previous"] == "" {
			t.Errorf("a refused candidate is not named in the outputs: %v", res.outputs)
		}
	})
}

// TestAnAutoscaledServiceKeepsItsCapacity scales a service up, as an autoscaler does, and deploys.
func TestAnAutoscaledServiceKeepsItsCapacity(t *testing.T) {
	t.Parallel()
	d := newDeployed(t, "web")
	manifest := func(flag string) string {
		return strings.Replace(web(1, flag), "  replicas: 1\n", "", 1) + serving("web") + scaler
	}
	first, second := d.commitManifest(manifest("-version=one")), d.commitManifest(manifest("-version=two"))
	d.mustDeploy(first, nil)
	deployments := d.p.admin.AppsV1().Deployments(d.p.namespace)
	list, err := deployments.List(t.Context(), metav1.ListOptions{})
	d.must(err)
	_, err = deployments.Patch(t.Context(), list.Items[0].Name, types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{})
	d.must(err)
	res := d.mustDeploy(second, nil)
	if got := len(d.pods("promote.dev/release=" + res.outputs["release"])); got != 3 {
		t.Errorf("the new release has %d pods, want the 3 that the old one was scaled to\n%s", got, res.output)
	}
}

// TestWhatIsDeletedByHandComesBack repairs the release that serves.
func TestWhatIsDeletedByHandComesBack(t *testing.T) {
	t.Parallel()
	d := newDeployed(t, "web")
	head := d.commitManifest(web(1, "-version=one") + serving("web"))
	release := d.mustDeploy(head, nil).outputs["release"]
	pods := d.pods("app=web")
	d.must(d.p.admin.CoreV1().ConfigMaps(d.p.namespace).Delete(t.Context(), "web-"+release, metav1.DeleteOptions{}))
	if res := d.mustDeploy(head, nil); !strings.Contains(res.output, "ConfigMap/"+d.p.namespace+"/web-"+release+" of release "+release+" is gone") {
		t.Errorf("the log does not say what was gone:\n%s", res.output)
	}
	if _, err := d.p.admin.CoreV1().ConfigMaps(d.p.namespace).Get(t.Context(), "web-"+release, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if after := d.pods("app=web"); len(after) != 1 || after[0].UID != pods[0].UID {
		t.Error("the repair replaced the pods")
	}
	if res := d.deploy(head, nil); res.outputs["result"] != "unchanged" {
		t.Errorf("then the result is %q:\n%s", res.outputs["result"], res.output)
	}

	t.Run("a Deployment too", func(t *testing.T) {
		d := d.in(t)
		d.must(d.p.admin.AppsV1().Deployments(d.p.namespace).Delete(t.Context(), "web-"+release, metav1.DeleteOptions{}))
		d.mustDeploy(head, nil)
		if next := d.mustDeploy(d.commitManifest(web(1, "-version=two")+serving("web")), nil).outputs["release"]; d.selects("web") != next {
			t.Errorf("the Service selects %q", d.selects("web"))
		}
	})
}

// TestWhatServedBeforePromoteIsAdopted deploys over what kubectl has made of the same manifests.
func TestWhatServedBeforePromoteIsAdopted(t *testing.T) {
	t.Parallel()
	d := newDeployed(t, "web")
	text := web(2, "-version=one") + serving("web")
	for _, o := range d.p.objects(strings.ReplaceAll(text, "{{ .Image }}", "{{.}}")) {
		d.p.create(o)
	}
	d.p.awaitReady("web", 2)
	before := d.pods("app=web")

	t.Run("a candidate that fails leaves its pods as they were", func(t *testing.T) {
		d := d.in(t)
		bad := d.commitManifest(web(2, "-exit=3") + serving("web"))
		if res := d.deploy(bad, nil); res.code != 1 || !strings.Contains(errorsIn(res.output), "exit code 3") {
			t.Fatalf("exit code %d\n%s", res.code, res.output)
		}
		if !strings.HasPrefix(d.selects("web"), "adopted-") {
			t.Errorf("the Service selects %q", d.selects("web"))
		}
		after := d.pods("app=web")
		for _, was := range before {
			if !has(after, was) {
				t.Errorf("Pod %s is gone or was restarted", was.Name)
			}
		}
	})
	good := d.commitManifest(web(2, "-version=two") + serving("web"))
	res := d.mustDeploy(good, nil)
	if d.selects("web") != res.outputs["release"] || !strings.HasPrefix(res.outputs["previous"], "adopted-") {
		t.Errorf("the Service selects %q, outputs %v", d.selects("web"), res.outputs)
	}
	if _, err := d.p.admin.AppsV1().Deployments(d.p.namespace).Get(t.Context(), "web", metav1.GetOptions{}); err == nil {
		t.Error("the adopted Deployment is still there")
	}
}

// has says that a pod is among others, with no restart more.
func has(pods []corev1.Pod, want corev1.Pod) bool {
	for _, p := range pods {
		if p.UID == want.UID {
			return p.Status.ContainerStatuses[0].RestartCount == want.Status.ContainerStatuses[0].RestartCount
		}
	}
	return false
}

// TestWorkloadsInPlaceAreWaitedFor has a StatefulSet beside the Deployment that does not come up.
func TestWorkloadsInPlaceAreWaitedFor(t *testing.T) {
	t.Parallel()
	d := newDeployed(t, "web")
	store := func(flag string) string {
		return fmt.Sprintf(`---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: store, image: "{{ .Image }}", args: [%q]}]
`, flag)
	}
	good := d.mustDeploy(d.commitManifest(web(1, "-version=one")+serving("web")+store("-version=one")), nil)
	bad := d.commitManifest(web(1, "-version=two") + serving("web") + store("-exit=3"))
	res := d.deploy(bad, nil)
	if res.code != 1 || !strings.Contains(errorsIn(res.output), "store-0") || !strings.Contains(errorsIn(res.output), "exit code 3") {
		t.Errorf("exit code %d, want the StatefulSet's pod and its end:\n%s", res.code, res.output)
	}
	if got := d.selects("web"); got != good.outputs["release"] {
		t.Errorf("the Service selects %q, want %q", got, good.outputs["release"])
	}
	set, err := d.p.admin.AppsV1().StatefulSets(d.p.namespace).Get(t.Context(), "store", metav1.GetOptions{})
	d.must(err)
	if args := set.Spec.Template.Spec.Containers[0].Args; args[0] != "-version=one" {
		t.Errorf("the StatefulSet runs with %v, want it as it was\n%s", args, res.output)
	}
}

// TestGoingBackBringsAReleaseAsItWas goes back by digest alone, from a checkout that has other manifests and after the secret has
// another value.
func TestGoingBackBringsAReleaseAsItWas(t *testing.T) {
	t.Parallel()
	d := newDeployed(t, "web")
	_, err := d.aws.PutSecret("web/password", "one")
	d.must(err)
	secret := "---\napiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: '{{ secret \"web/password\" }}'}\n"
	text := strings.Replace(web(1, "-version={{ .Values.version }}"), "envFrom: [", "envFrom: [{secretRef: {name: web}}, ", 1) + serving("web") + secret
	first := d.mustDeploy(d.commitManifest(text), map[string]string{"values": "version: first"})
	digest := d.image.DigestStr()

	// The next release has another image, so that the digest names one release alone.
	_, err = d.aws.PutSecret("web/password", "two")
	d.must(err)
	second := d.otherImage(d.commitManifest(text+"# another\n"), "other")
	now := d.mustDeploy(second, map[string]string{"values": "version: second"})
	if got := d.password(now.outputs["release"]); got != "two" {
		t.Fatalf("the second release has the password %q", got)
	}
	head := d.otherImage(d.commitManifest(web(3, "-version=third")+serving("web")), "third")

	if res := d.deploy(head, map[string]string{"digest": digest}); res.outputs["release"] == first.outputs["release"] {
		t.Errorf("it went back without allow-rollback:\n%s", res.output)
	}
	res := d.mustDeploy(head, map[string]string{"digest": digest, "allow-rollback": "true", "values": "version: ignored", "test-command": "exit 1"})
	if res.outputs["release"] != first.outputs["release"] {
		t.Errorf("release %q serves, want %q again\n%s", res.outputs["release"], first.outputs["release"], res.output)
	}
	if got := d.password(res.outputs["release"]); got != "one" {
		t.Errorf("its password is %q, want the version that it had", got)
	}
	pods := d.pods("app=web")
	if len(pods) != 1 || pods[0].Spec.Containers[0].Args[0] != "-version=first" {
		t.Errorf("%d pods, want one with the values that it had", len(pods))
	}
	if !strings.Contains(res.output, "Going back to release "+first.outputs["release"]) {
		t.Errorf("the log does not say what is gone back to:\n%s", res.output)
	}
}

// otherImage gives a commit an image of its own: the test image with a label.
func (d *deployed) otherImage(commit, label string) string {
	d.t.Helper()
	img, err := remote.Image(d.image)
	d.must(err)
	config, err := img.ConfigFile()
	d.must(err)
	config = config.DeepCopy()
	config.Config.Labels = map[string]string{"for": label}
	img, err = mutate.ConfigFile(img, config)
	d.must(err, remote.Write(d.image.Context().Tag(commit), img))
	return commit
}

// password is what a release's Secret holds.
func (d *deployed) password(release string) string {
	d.t.Helper()
	secret, err := d.p.admin.CoreV1().Secrets(d.p.namespace).Get(d.t.Context(), "web-"+release, metav1.GetOptions{})
	d.must(err)
	return string(secret.Data["password"])
}
