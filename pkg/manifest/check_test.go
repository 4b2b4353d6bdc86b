package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// problems are what is wrong with a template, or unknown, one a line.
func problems(t *testing.T, all []File) []string {
	t.Helper()
	rendered, err := Render(all, input)
	if err == nil {
		err = rendered.Unknown()
	}
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

const misspelt = `{{- if false }}
never
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  lables: {app: web}
spec:
  replica: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        imagee: {{ .Image }}
        livenessProbe:
          httpGet: {path: /, port: http, Port: 1}
        zzz: 1
`

func TestUnknownFieldsAreNamedWithTheirLine(t *testing.T) {
	rendered := render(t, files("deploy/app.yaml", misspelt))
	want := []string{
		`deploy/app.yaml:8: Deployment/web: there is no field "lables" in .metadata; did you mean "labels"?`,
		`deploy/app.yaml:10: Deployment/web: there is no field "replica" in .spec; did you mean "replicas"?`,
		`deploy/app.yaml:17: Deployment/web: there is no field "imagee" in .spec.template.spec.containers[0]; did you mean "image"?`,
		`deploy/app.yaml:19: Deployment/web: there is no field "Port" in .spec.template.spec.containers[0].livenessProbe.httpGet; did you mean "port"?`,
		`deploy/app.yaml:20: Deployment/web: there is no field "zzz" in .spec.template.spec.containers[0]`,
	}
	if diff := cmp.Diff(want, strings.Split(rendered.Unknown().Error(), "\n")); diff != "" {
		t.Errorf("the problems differ (-want +got):\n%s", diff)
	}
}

func TestValuesOfTheWrongTypeAreRefusedWithTheirLine(t *testing.T) {
	text := `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {count: 1}}
spec:
  replicas: three
  paused: "yes"
  minReadySeconds: 1.5
  template:
    spec:
      terminationGracePeriodSeconds: {{ param "grace" }}
      containers:
        name: web
      initContainers:
      - name: {{ param "n" | int }}
        command: [sh, -c, true]
        resources: {limits: {cpu: lots, memory: 64Mi, gpu: 1}}
        env: {A: b}
        ports: [{containerPort: {{ param "port" | int }}}]
      volumes: nothing
---
apiVersion: v1
kind: Secret
metadata: {name: s, creationTimestamp: yesterday}
data:
  plain: not base64
  fine: {{ secret "x" | b64enc }}
  given: {{ secret "already-base64" }}
stringData: [a]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 8080}, {port: 82, targetPort: {a: b}}]}
`
	want := []string{
		`a.yaml:3: Deployment/web: .metadata.annotations.count must be text, and is a number; quote it`,
		`a.yaml:7: Deployment/web: .spec.minReadySeconds must be a whole number, and is a number`,
		`a.yaml:6: Deployment/web: .spec.paused must be true or false, and is text`,
		`a.yaml:5: Deployment/web: .spec.replicas must be a whole number, and is text`,
		`a.yaml:11: Deployment/web: .spec.template.spec.containers must be a list, and is a mapping`,
		`a.yaml:15: Deployment/web: .spec.template.spec.initContainers[0].command[2] must be text, and is true or false; quote it`,
		`a.yaml:17: Deployment/web: .spec.template.spec.initContainers[0].env must be a list, and is a mapping`,
		`a.yaml:14: Deployment/web: .spec.template.spec.initContainers[0].name must be text, and is (param n) as a number; add | quote`,
		`a.yaml:16: Deployment/web: .spec.template.spec.initContainers[0].resources.limits.cpu must be a quantity such as 500m or 64Mi, and is other text`,
		`a.yaml:10: Deployment/web: .spec.template.spec.terminationGracePeriodSeconds must be a whole number, and is (param grace); add | int or | float64`,
		`a.yaml:19: Deployment/web: .spec.template.spec.volumes must be a list, and is text`,
		`a.yaml:25: Secret/s: .data.plain must be base64 (use b64enc, or stringData for plain text), and is other text`,
		`a.yaml:23: Secret/s: .metadata.creationTimestamp must be a time such as 2006-01-02T15:04:05Z, and is other text`,
		`a.yaml:28: Secret/s: .stringData must be a mapping, and is a list`,
		`a.yaml:33: Service/web: .spec.ports[2].targetPort must be a whole number or text, and is a mapping`,
	}
	var got []string
	for _, problem := range problems(t, files("a.yaml", text)) {
		if !strings.Contains(problem, "stands in the object's") { // what a placeholder in a name is refused for, too
			got = append(got, problem)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the problems differ (-want +got):\n%s", diff)
	}
}

func TestWrongAndUnknownComeAtOnce(t *testing.T) {
	_, err := Render(files("a.yaml", misspelt+"        tty: 5\n"), input)
	wantError(t, err, "a.yaml:21: ", "tty must be true or false", `a.yaml:17: Deployment/web: there is no field "imagee"`)
}

func TestWhatIsRightOrNotKnownPasses(t *testing.T) {
	for name, text := range map[string]string{
		"new fields": `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: {containers: [{name: a, restartPolicy: Always,
  lifecycle: {preStop: {sleep: {seconds: 5}}}, resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]}], volumes: [{name: i, image: {reference: x}}]}}}}`,
		"null everywhere":      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, labels: null}, spec: {replicas: null, template: {spec: {containers: [null]}}}}",
		"a whole fraction":     "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 3.0}}",
		"quantities":           "{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, spec: {hard: {cpu: 1, memory: 1.5Gi, pods: '4', x: 1e3}}}",
		"a number or text":     "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {maxUnavailable: 25%}}",
		"an HPA":               "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: {{ param \"n\" | int }}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}}",
		"managed fields":       "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, managedFields: [{manager: x, fieldsV1: {'f:data': {}}}]}}",
		"a custom resource":    "{apiVersion: example.org/v1, kind: Deployment, metadata: {name: a, lables: 1}, spec: 5}",
		"an unknown version":   "{apiVersion: apps/v9, kind: Deployment, metadata: {name: a}, spec: 5}",
		"a network policy":     "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, spec: {podSelector: {}, ingress: [{ports: [{port: 80, endPort: 90}]}]}}",
		"a role":               "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}, rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}",
		"binary data":          "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, binaryData: {a: AAEC, b: ''}}",
		"an object of a patch": "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never}}}}}}",
	} {
		t.Run(name, func(t *testing.T) {
			if got := problems(t, files("a.yaml", text)); got != nil {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestWhatTheAPIServerSaysOfAFieldGetsItsLine(t *testing.T) {
	rendered := render(t, files("a.yaml", misspelt, "b.yaml", "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: thing}\nspec:\n  size: big\n"))
	for message, want := range map[string]string{
		`failed to create typed patch object (test/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="web"].imagee: field not declared in schema`:         "a.yaml:17",
		`failed to create typed patch object: errors:` + "\n" + `  .spec.replica: field not declared in schema` + "\n" + `  .metadata.lables: field not declared in schema`: "a.yaml:8, a.yaml:10",
		`Deployment.apps "web-abc" is invalid: spec.template.spec.containers[0].image: Required value`:                                                                      "a.yaml:16",
		`strict decoding error: unknown field "spec.template.spec.containers[0].zzz"`:                                                                                       "a.yaml:20",
		`admission webhook "x" denied the request`: "a.yaml:4",
	} {
		if got := rendered.Locate("Deployment", "web-89abcde-012345", "89abcde-012345", errors.New(message)); got != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
	if got := rendered.Locate("Thing", "thing", "89abcde-012345", errors.New(`Thing.example.org "thing" is invalid: spec.size: Invalid value: "string"`)); got != "b.yaml:5" {
		t.Errorf("a custom resource's field is at %q", got)
	}
	if got := rendered.Locate("Service", "web-candidate", "r", errors.New("x")); got != "" {
		t.Errorf("what no template has is at %q", got)
	}
}
