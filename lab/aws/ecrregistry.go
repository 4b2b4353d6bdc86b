package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/registry"
)

// The registry as ECR serves it: go-containerregistry's own, behind what ECR does differently. It is reached by the hosts'
// real names only, as [Server.StartECR] serves them.
type ecrRegistry struct {
	server *Server
	inner  http.Handler

	noReferrers atomic.Bool

	writing sync.Mutex // a tag is looked for and written in one go
}

func newECRRegistry(s *Server) *ecrRegistry {
	return &ecrRegistry{server: s, inner: registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))}
}

var registryPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|tags|referrers)/(.+)$`)

// ServeHTTP answers one request, whose host names the region.
func (e *ecrRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	region := strings.TrimSuffix(strings.TrimPrefix(r.Host, account+".dkr.ecr."), ".amazonaws.com")
	m := registryPath.FindStringSubmatch(r.URL.Path)
	entry, err := e.admit(r, region, m)
	var no *registryRefusal
	if errors.As(err, &no) {
		no.write(w, r.Host)
		return
	}
	if m != nil && m[2] == "referrers" && e.noReferrers.Load() {
		http.NotFound(w, r)
		return
	}
	if m == nil || m[2] != "manifests" || r.Method != http.MethodPut || strings.HasPrefix(m[3], "sha256:") {
		e.forward(w, r, region)
		return
	}
	e.server.pass(r.Context())
	e.writing.Lock()
	defer e.writing.Unlock()
	e.server.mu.Lock()
	taken := entry.tags[m[3]] && entry.immutable(m[3])
	if taken {
		e.server.ecr.refused++
	}
	e.server.mu.Unlock()
	if taken {
		// Also for the digest that the tag has: aws/containers-roadmap#2380.
		(&registryRefusal{http.StatusBadRequest, "TAG_INVALID", fmt.Sprintf(
			"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", m[3], m[1])}).write(w, r.Host)
		return
	}
	seen := &statusSeen{ResponseWriter: w}
	e.forward(seen, r, region)
	if seen.status == http.StatusCreated {
		e.server.mu.Lock()
		entry.tags[m[3]] = true
		e.server.mu.Unlock()
	}
}

// forward asks the registry inside, where each region has names of its own.
func (e *ecrRegistry) forward(w http.ResponseWriter, r *http.Request, region string) {
	inside := r.Clone(r.Context())
	if rest, ok := strings.CutPrefix(r.URL.Path, "/v2/"); ok && rest != "" {
		inside.URL.Path = "/v2/" + region + "/" + rest
	}
	// ECR takes no blobs over from other repositories unless the account has asked for it; it begins an upload instead.
	query := inside.URL.Query()
	query.Del("mount")
	query.Del("from")
	inside.URL.RawQuery = query.Encode()
	e.inner.ServeHTTP(&outward{ResponseWriter: w, region: region, noReferrers: e.noReferrers.Load()}, inside)
}

// admit checks login, rights and repository.
func (e *ecrRegistry) admit(r *http.Request, region string, m []string) (*ecrRepository, error) {
	s := e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ecr.countdown > 0 {
		if s.ecr.countdown--; s.ecr.countdown == 0 {
			s.endTokens()
		}
	}
	user, password, _ := r.BasicAuth()
	token, known := s.ecr.tokens[password]
	switch {
	case user != "AWS" || !known || token.key.region != region:
		return nil, &registryRefusal{status: http.StatusUnauthorized}
	case !s.clock().Before(token.expires) && s.ecr.unknown:
		return nil, &registryRefusal{status: http.StatusUnauthorized}
	case !s.clock().Before(token.expires):
		return nil, &registryRefusal{http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again."}
	case m == nil:
		return nil, nil //nolint:nilnil // /v2/ itself has no repository, and whoever is logged in may ask
	}
	name := m[1]
	var refused *refusal
	if errors.As(s.ecrMay(token.key, ecrAction(r.Method, m), region, name), &refused) {
		return nil, &registryRefusal{http.StatusForbidden, "DENIED", refused.message}
	}
	entry := s.findRepository(region, name)
	if entry == nil {
		// https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
		return nil, &registryRefusal{http.StatusNotFound, "NAME_UNKNOWN", fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", name, account)}
	}
	if m[2] == "manifests" && r.Method == http.MethodPut && s.ecr.busy > 0 {
		s.ecr.busy--
		return nil, &registryRefusal{http.StatusTooManyRequests, "TOOMANYREQUESTS", "Rate exceeded"}
	}
	return entry, nil
}

// ecrAction is what IAM is asked for (https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html).
func ecrAction(method string, m []string) string {
	upload := strings.HasPrefix(m[3], "uploads/")
	switch {
	case m[2] == "manifests" && method == http.MethodPut:
		return "ecr:PutImage"
	case m[2] == "manifests" && method == http.MethodDelete:
		return "ecr:BatchDeleteImage"
	case m[2] == "tags":
		return "ecr:ListImages"
	case upload && method == http.MethodPost:
		return "ecr:InitiateLayerUpload"
	case upload && method == http.MethodPatch:
		return "ecr:UploadLayerPart"
	case upload && method == http.MethodPut:
		return "ecr:CompleteLayerUpload"
	case m[2] == "blobs" && method == http.MethodHead:
		return "ecr:BatchCheckLayerAvailability"
	case m[2] == "blobs":
		return "ecr:GetDownloadUrlForLayer"
	}
	return "ecr:BatchGetImage"
}

// registryRefusal is an answer that is not the registry's inside. Without a code it is the challenge to log in.
type registryRefusal struct {
	status        int
	code, message string
}

func (no *registryRefusal) Error() string { return no.code + ": " + no.message }

func (no *registryRefusal) write(w http.ResponseWriter, host string) {
	if no.code == "" {
		w.Header().Set("Www-Authenticate", fmt.Sprintf(`Basic realm="https://%s/",service="ecr.amazonaws.com"`, host))
		http.Error(w, "Not Authorized", no.status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(no.status)
	// An error here means that the caller has hung up; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": no.code, "message": no.message}}})
}

// statusSeen keeps the status that was answered.
type statusSeen struct {
	http.ResponseWriter
	status int
}

func (w *statusSeen) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// outward takes the region out of the places that the registry inside sends its clients to, and the promise that it knows
// referrers where it does not.
type outward struct {
	http.ResponseWriter
	region      string
	noReferrers bool
}

func (w *outward) WriteHeader(status int) {
	if place := w.Header().Get("Location"); place != "" {
		w.Header().Set("Location", strings.Replace(place, "/v2/"+w.region+"/", "/v2/", 1))
	}
	if w.noReferrers {
		w.Header().Del("OCI-Subject")
	}
	w.ResponseWriter.WriteHeader(status)
}
