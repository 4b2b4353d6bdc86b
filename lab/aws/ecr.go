package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ecrState is the state of the container registry. Its zero value is an empty one.
type ecrState struct {
	repositories map[string]*ecrRepository // by region and name
	tokens       map[string]ecrToken       // by password
	countdown    int                       // requests to the registry until all tokens are over; 0 for never
	busy         int                       // how many more images are told to come later
	unknown      bool                      // see [Server.RefuseOverAs401]
	refused      int                       // writes of tags that cannot move
	gate         *gate                     // see [Server.HoldTags]
}

// ecrRepository is one repository; what is in it is in the registry's storage.
type ecrRepository struct {
	region, name string
	mutability   string
	filters      []string // which tags the setting does not apply to
	lifecycle    string
	created      time.Time
	tags         map[string]bool
}

// Settings of image tags (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html).
const (
	Mutable                = "MUTABLE"
	Immutable              = "IMMUTABLE"
	MutableWithExclusion   = "MUTABLE_WITH_EXCLUSION"
	ImmutableWithExclusion = "IMMUTABLE_WITH_EXCLUSION"
)

// maxFilters is the most exclusion filters of a repository.
const maxFilters = 5

var (
	// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
	repositoryForm = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)
	// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageTagMutabilityExclusionFilter.html
	filterForm = regexp.MustCompile(`^[0-9a-zA-Z._*-]{1,128}$`)
)

// CreateRepository makes a repository with mutable tags, as AWS does, and returns its name with the registry's host.
func (s *Server) CreateRepository(region, name string) (string, error) {
	if len(name) < 2 || len(name) > 256 || !repositoryForm.MatchString(name) || !regionForm.MatchString(region) {
		return "", fmt.Errorf("creating repository %q in region %q: one of the names is not such a name", name, region)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.findRepository(region, name) != nil {
		return "", fmt.Errorf("creating repository %q: it exists in region %s already", name, region)
	}
	if s.ecr.repositories == nil {
		s.ecr.repositories = map[string]*ecrRepository{}
	}
	s.ecr.repositories[region+" "+name] = &ecrRepository{region: region, name: name, mutability: Mutable, created: s.clock(), tags: map[string]bool{}}
	return ecrHost(region) + "/" + name, nil
}

func (s *Server) findRepository(region, name string) *ecrRepository {
	return s.ecr.repositories[region+" "+name]
}

// ecrHost is the name of the account's registry in a region.
func ecrHost(region string) string { return account + ".dkr.ecr." + region + ".amazonaws.com" }

// PutImageTagMutability says which tags of a repository can move. The filters are those of the two settings that take some.
func (s *Server) PutImageTagMutability(region, name, setting string, filters ...string) error {
	fail := func(why string) error {
		return fmt.Errorf("setting the tag mutability of repository %q: %s", name, why)
	}
	if !slices.Contains([]string{Mutable, Immutable, MutableWithExclusion, ImmutableWithExclusion}, setting) {
		return fail("there is no setting " + setting)
	}
	if strings.HasSuffix(setting, "_WITH_EXCLUSION") != (len(filters) > 0) || len(filters) > maxFilters {
		return fail(fmt.Sprintf("%s with %d filters; one to %d go with a setting with exclusion, none with the others", setting, len(filters), maxFilters))
	}
	for _, filter := range filters {
		if !filterForm.MatchString(filter) {
			return fail(fmt.Sprintf("%q is no filter", filter))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.findRepository(region, name)
	if r == nil {
		return fail("it does not exist")
	}
	r.mutability, r.filters = setting, filters
	return nil
}

// PutLifecyclePolicy stores a policy's text. The double deletes nothing.
func (s *Server) PutLifecyclePolicy(region, name, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.findRepository(region, name)
	if r == nil {
		return fmt.Errorf("setting the lifecycle policy of repository %q: it does not exist", name)
	}
	r.lifecycle = text
	return nil
}

// immutable says whether a tag, once there, stays: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html.
func (r *ecrRepository) immutable(tag string) bool {
	excluded := slices.ContainsFunc(r.filters, func(filter string) bool { return wildcard(filter, tag) })
	switch r.mutability {
	case Immutable:
		return true
	case ImmutableWithExclusion:
		return !excluded
	case MutableWithExclusion:
		return excluded
	}
	return false
}

// wildcard matches with * for any characters, also for none.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(text)
}
