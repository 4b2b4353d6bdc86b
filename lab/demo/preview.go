package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/org/promote/lab/github"
	"github.com/org/promote/lab/runner"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// preview is what was seen of a pull request's preview while it was open, and of test beside it.
type preview struct {
	namespace string
	// told is the address that the deployment on GitHub has; onBoard says that the pull request's board has it too.
	told    string
	onBoard bool
	// version is what answered there, and images are those of its pods.
	version string
	images  map[string]bool

	test     string
	testPods map[string]string
}

// look asks GitHub where the preview is, as a reviewer would, and then the preview who it is.
func (v *preview) look(ctx context.Context, s *scene, p *part) error {
	v.namespace, v.images = fmt.Sprintf("%s-pr-%d", s.service.name, p.number), map[string]bool{}
	v.test, v.testPods = p.after["test"], p.afterPods["test"]
	deployment, err := s.previewDeployment(p)
	if err != nil {
		return err
	}
	if n := len(deployment.Statuses); n > 0 {
		v.told = deployment.Statuses[n-1].EnvironmentURL
	}
	if v.onBoard, err = s.boardHas(p, v.told); err != nil {
		return err
	}
	if v.told == "" {
		return nil // the closing says so
	}
	if v.version, err = versionAt(ctx, v.told); err != nil {
		return err
	}
	s.timeline.run("the preview at %s answers as %s", v.told, v.version[:min(7, len(v.version))])
	pods, err := s.kube.CoreV1().Pods(v.namespace).List(ctx, metav1.ListOptions{LabelSelector: s.service.pods()})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		for _, c := range pod.Status.ContainerStatuses {
			v.images[c.ImageID] = true
		}
	}
	return nil
}

// previewed checks what a pull request had while it was open, and that nothing of it is left.
func (s *scene) previewed(ctx context.Context, p *part) []expectation {
	v := s.preview
	image := len(v.images) > 0
	for _, id := range v.testPods {
		image = image && len(v.images) == 1 && v.images[id]
	}
	_, namespace := s.kube.CoreV1().Namespaces().Get(ctx, v.namespace, metav1.GetOptions{})
	deployment, asking := s.previewDeployment(p)
	still, reading := s.boardHas(p, v.told)
	swept := fmt.Sprintf("Namespace/%s stays: pull request #%d is open", v.namespace, p.number)
	looked, unread := s.logged(p.results["sweep-previews"], swept)
	left := fmt.Sprintf("Namespace/%s is %s, its deployment on GitHub %s, its address %s the board",
		v.namespace, either(cluster.IsNotFound(namespace), "gone", "not gone"), deployment.State(), either(still, "still on", "off"))
	if err := errors.Join(asking, reading); err != nil {
		left = err.Error()
	}
	return []expectation{
		{what: p.name() + ": its preview serves where GitHub says, with the image of test", ok: v.told != "" && v.onBoard && v.version == p.head && image,
			seen: fmt.Sprintf("%s, which %s on the board, answers as %s from Namespace/%s, with %s image",
				v.told, either(v.onBoard, "is", "is not"), v.version[:min(7, len(v.version))], v.namespace, either(image, "that very", "another"))},
		{what: p.name() + ": closing it leaves nothing of the preview", ok: asking == nil && reading == nil && cluster.IsNotFound(namespace) && deployment.State() == "inactive" && !still,
			seen: left},
		{what: p.name() + ": a sweep leaves a preview whose pull request is open", ok: unread == nil && looked,
			seen: fmt.Sprintf("its log %s %q", either(looked, "has", "has not"), swept)},
		s.keptOpen(p),
	}
}

// logged says whether a run's log has a text.
func (s *scene) logged(run runner.Result, text string) (bool, error) {
	data, err := os.ReadFile(run.LogFile)
	return strings.Contains(string(data), text), err
}

// keptOpen checks that what an open pull request brought to test stays, and that no later environment ever heard of it.
func (s *scene) keptOpen(p *part) expectation {
	still := p.after["test"] == s.preview.test && subset(s.preview.testPods, p.afterPods["test"]) && strings.HasPrefix(p.after["test"], p.head[:7])
	moves := 0
	for _, env := range []string{"stage", "prod"} {
		moves += len(s.witness.during(env, p))
		still = still && p.after[env] == p.before[env] && subset(p.beforePods[env], p.afterPods[env])
	}
	return expectation{
		what: p.name() + ": test keeps it; stage and production never moved", ok: still && moves == 0,
		seen: fmt.Sprintf("%s serves in test, %s and %s in stage and production, whose traffic moved %d times", p.after["test"], p.after["stage"], p.after["prod"], moves),
	}
}

// previewDeployment is the newest deployment that GitHub has of a pull request's preview; an empty one when there is none.
func (s *scene) previewDeployment(p *part) (github.Deployment, error) {
	all, err := s.repo.Deployments()
	var newest github.Deployment
	for _, d := range all {
		if d.Environment == fmt.Sprintf("preview/pr-%d", p.number) {
			newest = d
		}
	}
	return newest, err
}

// boardHas says whether a comment on the pull request has a text.
func (s *scene) boardHas(p *part, text string) (bool, error) {
	comments, err := s.repo.Comments(p.number)
	for _, c := range comments {
		if text != "" && strings.Contains(c.Body, text) {
			return true, err
		}
	}
	return false, err
}

// versionAt waits for an answer at an address, whose node learns of it a moment after the API server, and gives the version that
// answers there.
func versionAt(ctx context.Context, address string) (string, error) {
	if err := answers(ctx, address); err != nil {
		return "", err
	}
	_, header, err := get(ctx, address+"/version")
	return header.Get("X-Version"), err
}

// get requests a URL once.
func get(ctx context.Context, url string) (status int, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	return res.StatusCode, res.Header, res.Body.Close()
}
