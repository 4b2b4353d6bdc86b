package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

func anObject(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestMentions(t *testing.T) {
	pod := func(spec string) string { return "kind: Deployment\nspec: {template: {spec: {" + spec + "}}}" }
	for name, c := range map[string]struct{ object, kind string }{
		"a volume":                         {pod("volumes: [{configMap: {name: x}}]"), "ConfigMap"},
		"a projected volume":               {pod("volumes: [{projected: {sources: [{serviceAccountToken: {}}, {secret: {name: x}}]}}]"), "Secret"},
		"a secret volume":                  {pod("volumes: [{secret: {secretName: x}}]"), "Secret"},
		"a variable":                       {pod("containers: [{env: [{valueFrom: {secretKeyRef: {name: x, key: k}}}]}]"), "Secret"},
		"a variable of an init container":  {pod("initContainers: [{env: [{valueFrom: {configMapKeyRef: {name: x, key: k}}}]}]"), "ConfigMap"},
		"all variables":                    {pod("containers: [{envFrom: [{configMapRef: {name: x}}]}]"), "ConfigMap"},
		"a pull secret":                    {pod("imagePullSecrets: [{name: x}]"), "Secret"},
		"an account":                       {pod("serviceAccountName: x"), "ServiceAccount"},
		"a CSI driver's secret":            {pod("volumes: [{csi: {nodePublishSecretRef: {name: x}}}]"), "Secret"},
		"a CronJob's pod":                  {"kind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {serviceAccountName: x}}}}}", "ServiceAccount"},
		"an autoscaler's target":           {"kind: HorizontalPodAutoscaler\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: x}}", "StatefulSet"},
		"an Ingress's backend":             {"kind: Ingress\nspec: {rules: [{http: {paths: [{backend: {service: {name: x, port: {number: 80}}}}]}}]}", "Service"},
		"an Ingress's default backend":     {"kind: Ingress\nspec: {defaultBackend: {service: {name: x}}}", "Service"},
		"an Ingress's certificate":         {"kind: Ingress\nspec: {tls: [{secretName: x}]}", "Secret"},
		"a StatefulSet's Service":          {"kind: StatefulSet\nspec: {serviceName: x}", "Service"},
		"an account's secrets":             {"kind: ServiceAccount\nsecrets: [{name: x}]", "Secret"},
		"a binding's Role":                 {"kind: RoleBinding\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: x}", "Role"},
		"a route's backend without a kind": {"kind: HTTPRoute\nspec: {rules: [{backendRefs: [{name: x, port: 80}]}]}", "Service"},
	} {
		t.Run(name+" is a reference", func(t *testing.T) {
			o := anObject(t, c.object)
			if !mentions(o, c.kind, "x") {
				t.Errorf("not found in\n%s", c.object)
			}
			if mentions(o, c.kind, "y") || mentions(o, "PodDisruptionBudget", "x") {
				t.Error("another object was found")
			}
		})
	}
	t.Run("an owner, a label and a name of something else are none", func(t *testing.T) {
		o := anObject(t, "kind: Pod\nmetadata: {name: x, labels: {app: x}, ownerReferences: [{kind: ConfigMap, name: x}]}\nspec: {containers: [{name: x, image: x}], volumes: [{name: x, emptyDir: {}}]}\nstatus: {kind: ConfigMap, name: x}")
		for _, kind := range []string{"ConfigMap", "Secret", "Service", "ServiceAccount"} {
			if mentions(o, kind, "x") {
				t.Errorf("taken for a reference to a %s", kind)
			}
		}
	})
}

func TestDropped(t *testing.T) {
	member := func(kind, name, uid string, made bool) Member {
		return Member{ObjectRef: ObjectRef{APIVersion: "networking.k8s.io/v1", Kind: kind, Name: name, UID: types.UID(uid)}, Made: made}
	}
	s := &State{Shared: []Member{
		member("Ingress", "held", "1", true), member("Ingress", "dropped", "2", true), member("Ingress", "theirs", "3", false), member("Ingress", "never-seen", "", true),
		member("NetworkPolicy", "held", "4", true),
	}}
	got := s.Dropped([]ObjectRef{{APIVersion: "networking.k8s.io/v1beta1", Kind: "Ingress", Name: "held"}})
	want := []Member{member("Ingress", "dropped", "2", true), member("NetworkPolicy", "held", "4", true)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
