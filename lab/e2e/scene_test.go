//go:build lab

package e2e

import (
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	gogithub "github.com/google/go-github/v84/github"
	"github.com/org/promote/lab/github"
)

// scene is a service in an environment of its own, whose changes people open, approve, merge, and think better of.
type scene struct {
	t           *testing.T
	h           *hub
	p           *place
	environment string
	repository  name.Repository
	image       v1.Image
}

func newScene(t *testing.T, environment string) *scene {
	t.Helper()
	s := &scene{t: t, h: newHub(t), p: newPlace(t, environment), environment: environment}
	pushed, err := testImage()
	s.h.must(err)
	ref, err := name.NewDigest(pushed)
	s.h.must(err)
	s.image, err = remote.Image(ref)
	s.h.must(err)
	// Evidence is written beside the image; other tests have theirs.
	s.repository, err = name.NewRepository(s.h.repository("scene"))
	s.h.must(err)
	s.h.commit("main", map[string]string{"deploy/quick.yaml": quick})
	return s
}

// in is the scene for a subtest: what fails there fails the subtest.
func (s *scene) in(t *testing.T) *scene {
	sub, h := *s, *s.h
	h.t = t
	sub.t, sub.h, sub.p = t, &h, s.p.in(t)
	return &sub
}

// request is a pull request with what makes an action run for it.
type request struct {
	number       int
	branch, head string
	event        github.Event
}

// approved opens a pull request from what is checked out, gives its head an image, and has it approved.
func (s *scene) approved(branch string) request {
	s.t.Helper()
	pull, head, _ := s.h.pull(branch, map[string]string{"README.md": branch + "\n"})
	s.h.must(remote.Write(s.repository.Tag(head), s.image))
	event, err := s.h.repo.Approve(s.t.Context(), pull.Number, "grace")
	s.h.must(err)
	return request{number: pull.Number, branch: branch, head: head, event: event}
}

// merged merges an approved pull request and checks the merge out.
func (s *scene) merged(branch string) request {
	s.t.Helper()
	req := s.approved(branch)
	merged, err := s.h.repo.Merge(s.t.Context(), req.number, github.Squash, "ada")
	s.h.must(err)
	s.h.git(s.h.clone, "fetch", "--quiet", "origin", "main")
	s.h.git(s.h.clone, "checkout", "--quiet", "-B", "main", merged.SHA)
	req.event = merged.Push
	return req
}

// push adds a commit to the pull request, from elsewhere: the run's checkout stays as it is.
func (s *scene) push(req request) {
	s.t.Helper()
	next := s.h.git(s.h.clone, "commit-tree", req.head+"^{tree}", "-p", req.head, "-m", "One more")
	s.h.git(s.h.clone, "push", "--quiet", "origin", next+":refs/heads/"+req.branch)
	_, err := s.h.repo.PushBranch(s.t.Context(), req.branch, "ada")
	s.h.must(err)
}

func (s *scene) dismiss(req request) {
	s.t.Helper()
	pull, err := s.h.repo.PullRequest(s.t.Context(), req.number)
	s.h.must(err)
	token, err := s.h.repo.NewToken("ada", map[string]string{"pull-requests": "write"})
	s.h.must(err)
	client := gogithub.NewClient(nil).WithAuthToken(token)
	client.BaseURL, err = url.Parse(s.h.gh.URL() + "/")
	s.h.must(err)
	owner, name, _ := strings.Cut(s.h.name, "/")
	_, _, err = client.PullRequests.DismissReview(s.t.Context(), owner, name, req.number, pull.Reviews[0].ID,
		&gogithub.PullRequestReviewDismissalRequest{Message: gogithub.Ptr("Not yet")})
	s.h.must(err)
}

func (s *scene) requestChange(req request) {
	s.t.Helper()
	_, err := s.h.repo.Review(s.t.Context(), req.number, "grace", "REQUEST_CHANGES", "Stop!")
	s.h.must(err)
}

func (s *scene) inputs(more map[string]string) map[string]string {
	inputs := map[string]string{
		"environment": s.environment, "namespace": s.p.namespace, "kubeconfig": s.p.kubeconfig, "service": "quick", "image": s.repository.Name(),
		"manifests": "deploy", "drain": "0s", "timeout": "1m", "required-approvals": "1",
	}
	maps.Copy(inputs, more)
	return inputs
}

func (s *scene) runner() string { return "PROMOTE_RUNNER_ENVIRONMENT=" + s.environment }
