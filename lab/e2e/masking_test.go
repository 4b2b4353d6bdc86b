//go:build lab

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/org/promote/lab/github"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/image"
)

// masked is a service with secrets in a Secret, in ConfigMaps, in the environment and in arguments. It has a place for what makes
// a variant fail.
type masked struct {
	// container is added to the container's fields, spec to the pod's, objects as documents of their own.
	container, spec, objects, args string
}

func (m masked) template(keys []string) string {
	var secret, config, env strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&secret, "  %s: '{{ secret \"mask/%s\" }}'\n", k, k)
		fmt.Fprintf(&config, "  %s: '{{ secret \"mask/%s\" }}'\n  %s.url: 'x=a b&y={{ secret \"mask/%s\" | urlquery }}'\n  %s.b64: '{{ print \"user:\" (secret \"mask/%s\") | b64enc }}'\n", k, k, k, k, k, k)
		fmt.Fprintf(&env, "            - {name: ECHO_%s, value: 'it is {{ secret \"mask/%s\" }}, yes'}\n", k, k)
	}
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: masked}
spec:
  selector: {matchLabels: {app: masked}}
  template:
    metadata: {labels: {app: masked}}
    spec:
      terminationGracePeriodSeconds: 0
` + m.spec + `      containers:
        - name: masked
          image: "{{ .Image }}"
          args: [` + m.args + `]
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
          ports: [{containerPort: 8080}]
          envFrom: [{configMapRef: {name: masked}}, {secretRef: {name: masked}}]
` + m.container + `          env:
            - {name: PIN, value: '{{ secret "mask/pin" }}'}
` + env.String() + `---
apiVersion: v1
kind: Service
metadata: {name: masked, annotations: {example.com/key: '{{ secret "mask/k00" }}'}}
spec: {selector: {app: masked}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Secret
metadata: {name: masked}
stringData:
` + secret.String() + `---
apiVersion: v1
kind: ConfigMap
metadata: {name: masked}
data:
` + config.String() + `---
# A CronJob is applied in place, so that its diff shows what was there before.
apiVersion: batch/v1
kind: CronJob
metadata: {name: masked}
spec:
  schedule: "0 0 1 1 *"
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: masked
              image: "{{ .Image }}"
              args: [--plain, '--pin={{ secret "mask/pin" }}', '--key={{ secret "mask/k01" }}']
              env:
` + strings.ReplaceAll(env.String(), "            - ", "                - ") + m.objects
}

// number and repository are secrets that fit where a text of any kind does not.
const number, repository = "918273645546372819", "hidden-repository-qz9"

// TestNoSecretIsEverShown is promise 8: fifty nasty secrets, everything at debug level, and failures by which the API server and
// the pods say what they hold. No byte of any secret, in any form, is in anything that a run leaves behind but the cluster's
// own objects.
func TestNoSecretIsEverShown(t *testing.T) {
	t.Parallel()
	h, p := newHub(t), newPlace(t, "test")
	pushed, err := testImage()
	h.must(err)
	ref, err := name.NewDigest(pushed)
	h.must(err)
	first, second := nasty("Qz7first"), nasty("Qz8second")
	keys := slices.Sorted(maps.Keys(first))
	secrets := map[string][]string{"number": forms(number), "image": forms(repository)}
	for _, k := range keys {
		secrets[k], secrets["new "+k] = forms(first[k]), forms(second[k])
	}
	small := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return len(first[k]) > 1000 })
	// What a policy says must be one line.
	lines := slices.DeleteFunc(slices.Clone(small), func(k string) bool { return strings.ContainsAny(first[k], "\r\n\v\u2028") })
	variants := masks(ref.Context().RegistryStr(), small)
	h.commit("main", map[string]string{"README.md": "masked\n"})
	files := map[string]string{}
	for variant, m := range variants {
		files[variant+"/masked.yaml"] = m.template(keys)
	}
	pull, head, opened := h.pull("masked", files)
	descriptor, err := remote.Get(ref)
	h.must(err)
	h.must(remote.Tag(ref.Context().Tag(head), descriptor))
	p.echoing(lines)

	for _, run := range []struct {
		variant, tests string
		secrets        map[string]string
		code           int
		// want is what the failure must name, so that it is sure to be the one that was meant.
		want []string
	}{
		{"fine", `curl -sS "$PROMOTE_URL"; curl -sS "$PROMOTE_URL" | base64; curl -sS "$PROMOTE_URL" >&2`, first, 0, []string{"PIN\n+          value: (secret mask/pin)", "secret mask/pin: the value", "--pin=(secret mask/pin)"}},
		{"fine", `curl -sS "$PROMOTE_URL" | tee /dev/stderr; exit 3`, second, 1, []string{"ended with exit code 3", "-            - (secret)\n+            - --key=(secret mask/k01)"}},
		{"unsupported", "", second, 1, []string{"tolerations[0].operator"}},
		{"wrong type", "", second, 1, []string{"must be text"}},
		{"policy", "", second, 1, []string{"ValidatingAdmissionPolicy", "the object holds ***"}},
		{"no digest", "", second, 1, []string{"digest"}},
		{"no image", "", second, 1, []string{"ImagePull"}},
		{"dies", "", second, 1, []string{"CrashLoop", "I know it is ***"}},
	} {
		t.Run(run.variant, func(t *testing.T) {
			h.t = t
			for k, v := range run.secrets {
				_, err := h.aws.PutSecret("mask/"+k, v)
				h.must(err)
			}
			for k, v := range map[string]string{"pin": "7q", "number": number, "image": repository} {
				_, err := h.aws.PutSecret("mask/"+k, v)
				h.must(err)
			}
			log, left := h.shout(opened, map[string]string{
				"environment": "test", "namespace": p.namespace, "kubeconfig": p.kubeconfig, "service": "masked", "image": ref.Context().Name(),
				"manifests": run.variant, "drain": "0s", "timeout": "30s", "test-command": run.tests,
			}, run.code)
			for _, want := range run.want {
				if !strings.Contains(log, want) {
					t.Errorf("the run did not come to %q:\n%s", want, log)
				}
			}
			left["evidence"] = h.evidence(ref)
			left["state"] = p.in(t).written()
			left["GitHub"] = h.told(pull.Number, head)
			for place, text := range left {
				for _, leak := range leaked(secrets, text) {
					t.Errorf("%s shows %s", place, leak)
				}
			}
		})
	}
}

// masks are the ways in which a run fails and says what it holds.
func masks(registry string, keys []string) map[string]masked {
	var tolerations, said strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&tolerations, "        - {key: k, operator: '{{ secret \"mask/%s\" }}'}\n", k)
		fmt.Fprintf(&said, "I know $(ECHO_%s) ", k)
	}
	return map[string]masked{
		"fine":        {},
		"unsupported": {spec: "      tolerations:\n" + tolerations.String(), container: "          imagePullPolicy: '{{ secret \"mask/k05\" }}'\n"},
		"wrong type":  {objects: "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: wrong}\ndata: {k: {{ secret \"mask/number\" | int }}}\n"},
		"policy":      {objects: "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: refused}\ndata:\n" + data(keys)},
		"no digest":   {spec: "      initContainers: [{name: init, image: '{{ secret \"mask/k00\" }}'}]\n"},
		"no image":    {spec: "      initContainers: [{name: init, image: '" + registry + "/{{ secret \"mask/image\" }}@sha256:" + strings.Repeat("0", 64) + "'}]\n"},
		"dies": {
			args:      `"-say", "` + said.String() + `", "-exit=3"`,
			container: "          terminationMessagePolicy: FallbackToLogsOnError\n",
		},
	}
}

func data(keys []string) string {
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "  %s: '{{ secret \"mask/%s\" }}'\n", k, k)
	}
	return b.String()
}

// shout runs the deploy action at debug level. It gives the log and everything else that the run left on the runner, without the
// lines that tell the runner what to mask.
func (h *hub) shout(event github.Event, inputs map[string]string, code int) (log string, left map[string]string) {
	h.t.Helper()
	cmd, finish := h.command("deploy", event, inputs, "RUNNER_DEBUG=1", "ACTIONS_STEP_DEBUG=true", "ACTIONS_RUNNER_DEBUG=true")
	_ = cmd.Run() // the exit code is looked at below
	res := finish()
	if got := cmd.ProcessState.ExitCode(); got != code {
		h.t.Errorf("exit code %d, want %d", got, code)
	}
	left = map[string]string{}
	var shown strings.Builder
	for line := range strings.Lines(res.output) {
		if !strings.HasPrefix(line, "::add-mask::") {
			shown.WriteString(line)
		}
	}
	left["log"] = shown.String()
	for _, variable := range []string{"OUTPUT", "STEP_SUMMARY", "ENV", "PATH", "STATE"} {
		for _, e := range cmd.Env {
			if path, ok := strings.CutPrefix(e, "GITHUB_"+variable+"="); ok {
				data, err := os.ReadFile(path)
				h.must(err)
				left["GITHUB_"+variable] = string(data)
			}
		}
	}
	if len(left["GITHUB_STEP_SUMMARY"]) == 0 || len(left["GITHUB_OUTPUT"]) == 0 {
		h.t.Errorf("the run left no summary or no outputs, so nothing was looked at: %d files", len(left))
	}
	return shown.String(), left
}

// evidence is every statement beside the image.
func (h *hub) evidence(ref name.Digest) string {
	h.t.Helper()
	records, err := evidence.Read(h.t.Context(), image.Reference(ref.Context().Name(), ref.DigestStr()), nil)
	h.must(err)
	return fmt.Sprintf("%+v", records)
}

// told is everything that GitHub was told.
func (h *hub) told(pull int, head string) string {
	h.t.Helper()
	statuses, err := h.repo.Statuses(head)
	h.must(err)
	deployments, err := h.repo.Deployments()
	h.must(err)
	comments, err := h.repo.Comments(pull)
	h.must(err)
	if len(statuses) == 0 || len(deployments) == 0 || len(comments) == 0 {
		h.t.Errorf("GitHub was told nothing: %d statuses, %d deployments, %d comments", len(statuses), len(deployments), len(comments))
	}
	text := fmt.Sprintf("%+v %+v", statuses, comments)
	for _, d := range deployments {
		text += fmt.Sprintf("%+v %s", d, d.Payload)
		for _, status := range d.Statuses {
			text += fmt.Sprintf("%+v", *status)
		}
	}
	return text
}

// written is what promote itself keeps in the cluster: its state, its lease, its labels and annotations. The objects of the
// service hold their secrets, as they have to.
func (p *place) written() string {
	p.t.Helper()
	ctx := p.t.Context()
	state, err := p.admin.CoreV1().ConfigMaps(p.namespace).Get(ctx, "promote-masked", metav1.GetOptions{})
	p.must(state, err)
	lease, err := p.admin.CoordinationV1().Leases(p.namespace).Get(ctx, "promote-masked", metav1.GetOptions{})
	p.must(lease, err)
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v %v %v\n", state.Data, state.Annotations, lease.Annotations, lease.Spec)
	own := func(m metav1.ObjectMeta) {
		for _, notes := range []map[string]string{m.Labels, m.Annotations} {
			for key, value := range notes {
				if strings.HasPrefix(key, "promote.dev/") {
					fmt.Fprintf(&b, "%s %s=%s\n", m.Name, key, value)
				}
			}
		}
	}
	deployments, err := p.admin.AppsV1().Deployments(p.namespace).List(ctx, metav1.ListOptions{})
	p.must(deployments, err)
	for _, o := range deployments.Items {
		own(o.ObjectMeta)
		own(o.Spec.Template.ObjectMeta)
	}
	services, err := p.admin.CoreV1().Services(p.namespace).List(ctx, metav1.ListOptions{})
	p.must(services, err)
	for _, o := range services.Items {
		own(o.ObjectMeta)
	}
	configs, err := p.admin.CoreV1().ConfigMaps(p.namespace).List(ctx, metav1.ListOptions{})
	p.must(configs, err)
	for _, o := range configs.Items {
		own(o.ObjectMeta)
		if !strings.HasPrefix(o.Name, "promote-") {
			continue
		}
		fmt.Fprintf(&b, "%s %v\n", o.Name, o.Data)
		for key, packed := range o.BinaryData { // what a release was rendered from
			r, err := gzip.NewReader(bytes.NewReader(packed))
			p.must(r, err)
			text, err := io.ReadAll(r)
			p.must(text, err)
			fmt.Fprintf(&b, "%s %s %s\n", o.Name, key, text)
		}
	}
	return b.String()
}

// echoing makes policies by which the API server says what ConfigMaps of this namespace hold: it refuses the one called
// "refused", and warns of all others. It returns when they are in force.
func (p *place) echoing(keys []string) {
	p.t.Helper()
	ctx := p.t.Context()
	var holds strings.Builder
	for _, k := range keys[:12] { // a message of more than 5 KiB is dropped
		fmt.Fprintf(&holds, " + ' ' + object.data.%s", k)
	}
	for _, policy := range []struct {
		name, about string
		action      admissionv1.ValidationAction
	}{
		{p.namespace + "-refuse", "object.metadata.name.startsWith('refused')", admissionv1.Deny},
		{p.namespace + "-warn", "has(object.data) && 'k00' in object.data", admissionv1.Warn},
	} {
		made, err := p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Create(ctx, &admissionv1.ValidatingAdmissionPolicy{
			ObjectMeta: metav1.ObjectMeta{Name: policy.name},
			Spec: admissionv1.ValidatingAdmissionPolicySpec{
				MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				}}}},
				MatchConditions: []admissionv1.MatchCondition{{Name: "about", Expression: policy.about}},
				Validations:     []admissionv1.Validation{{Expression: "false", Message: "it is refused", MessageExpression: "'the object holds'" + holds.String()}},
			},
		}, metav1.CreateOptions{})
		p.must(made, err)
		p.t.Cleanup(func() {
			_ = p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Delete(context.Background(), policy.name, metav1.DeleteOptions{})
			_ = p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().Delete(context.Background(), policy.name, metav1.DeleteOptions{})
		})
		bound, err := p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().Create(ctx, &admissionv1.ValidatingAdmissionPolicyBinding{
			ObjectMeta: metav1.ObjectMeta{Name: policy.name},
			Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
				PolicyName: policy.name, ValidationActions: []admissionv1.ValidationAction{policy.action},
				MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: p.namespace}}},
			},
		}, metav1.CreateOptions{})
		p.must(bound, err)
	}
	probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "refused"}, Data: map[string]string{}}
	for _, k := range keys {
		probe.Data[k] = "x"
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		_, err := p.admin.CoreV1().ConfigMaps(p.namespace).Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil && strings.Contains(err.Error(), "the object holds x x") {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the policy is not in force: %v", err)
		}
	}
}
