package cluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhereAPodsMetricsAre(t *testing.T) {
	ports := func(all ...corev1.ContainerPort) []corev1.Container {
		return []corev1.Container{{Name: "app", Ports: all}}
	}
	for name, c := range map[string]struct {
		annotations map[string]string
		containers  []corev1.Container
		want        string
		problem     string
	}{
		"on the first port": {nil, ports(corev1.ContainerPort{Name: "dns", Protocol: corev1.ProtocolUDP, ContainerPort: 53}, corev1.ContainerPort{Name: "http", ContainerPort: 8080}), "http://x:8080/metrics", ""},
		"on one of the name, though it is another container's": {nil, append(ports(corev1.ContainerPort{ContainerPort: 8080}), ports(corev1.ContainerPort{Name: "metrics", ContainerPort: 9090})...), "http://x:9090/metrics", ""},
		"where its annotations say":                            {map[string]string{annotationPort: "9100", annotationPath: "/q?a=b"}, nil, "http://x:9100/q?a=b", ""},
		"nowhere":                                              {nil, ports(), "", "prometheus.io/port"},
		"at no port":                                           {map[string]string{annotationPort: "metrics"}, nil, "", "number of a port"},
		"at no path":                                           {map[string]string{annotationPort: "1", annotationPath: "m"}, nil, "", "begins with /"},
		"behind TLS":                                           {map[string]string{annotationPort: "1", annotationScheme: "https"}, nil, "", "only http"},
	} {
		got, err := metricsOf(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x", Annotations: c.annotations}, Spec: corev1.PodSpec{Containers: c.containers}})
		switch {
		case c.problem != "":
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		case err != nil || got != c.want:
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
