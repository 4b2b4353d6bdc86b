package aws

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"
)

// tokenTime is how long a login is valid
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html).
const tokenTime = 12 * time.Hour

// maxDescribed is the most repositories that one DescribeRepositories names.
const maxDescribed = 100

// ecrToken is a login: who has it, where it is good, and until when.
type ecrToken struct {
	key     Key
	expires time.Time
}

func (s *Server) ecrGetAuthorizationToken(k Key, body []byte) (any, []string, error) {
	var in struct{ RegistryIDs []string }
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	if slices.Contains(k.Deny, "ecr:GetAuthorizationToken") {
		return nil, nil, k.denied("ecr:GetAuthorizationToken", "*")
	}
	if s.ecr.tokens == nil {
		s.ecr.tokens = map[string]ecrToken{}
	}
	secret := make([]byte, 48)
	_, _ = rand.Read(secret) // never fails
	password := base64.StdEncoding.EncodeToString(secret)
	expires := s.clock().Add(tokenTime)
	s.ecr.tokens[password] = ecrToken{key: k, expires: expires}
	return map[string]any{"authorizationData": []map[string]any{{
		"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:" + password)),
		"expiresAt":          epoch(expires),
		"proxyEndpoint":      "https://" + ecrHost(k.region),
	}}}, nil, nil
}

// ecrMay says whether a key may do something with a repository; IAM is asked before the repository is looked for.
func (s *Server) ecrMay(k Key, action, region, name string) error {
	if !k.allows(name) || slices.Contains(k.Deny, action) {
		return k.denied(action, "arn:aws:ecr:"+region+":"+account+":repository/"+name)
	}
	return nil
}

func (s *Server) ecrDescribeRepositories(k Key, body []byte) (any, []string, error) {
	var in struct {
		RegistryID      string `json:"registryId"`
		RepositoryNames []string
	}
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	if err := tooLong(in.RepositoryNames, "repositoryNames", maxDescribed); err != nil {
		return nil, nil, err
	}
	var all []map[string]any
	for _, name := range in.RepositoryNames {
		r, err := s.permittedRepository(k, "ecr:DescribeRepositories", in.RegistryID, name)
		if err != nil {
			return nil, in.RepositoryNames, err
		}
		shown := map[string]any{
			"repositoryName": name, "registryId": account, "createdAt": epoch(r.created), "imageTagMutability": r.mutability,
			"repositoryArn": "arn:aws:ecr:" + r.region + ":" + account + ":repository/" + name, "repositoryUri": ecrHost(r.region) + "/" + name,
		}
		var filters []map[string]string
		for _, filter := range r.filters {
			filters = append(filters, map[string]string{"filterType": "WILDCARD", "filter": filter})
		}
		if filters != nil {
			shown["imageTagMutabilityExclusionFilters"] = filters
		}
		all = append(all, shown)
	}
	return map[string]any{"repositories": all}, in.RepositoryNames, nil
}

// permittedRepository finds a repository where the request was signed for.
func (s *Server) permittedRepository(k Key, action, registry, name string) (*ecrRepository, error) {
	if err := s.ecrMay(k, action, k.region, name); err != nil {
		return nil, err
	}
	r := s.findRepository(k.region, name)
	if registry == "" {
		registry = account
	}
	if r == nil || registry != account {
		return nil, refuse("RepositoryNotFoundException", "The repository with name '%s' does not exist in the registry with id '%s'", name, registry)
	}
	return r, nil
}

func (s *Server) ecrGetLifecyclePolicy(k Key, body []byte) (any, []string, error) {
	var in struct {
		RegistryID     string `json:"registryId"`
		RepositoryName string
	}
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	names := []string{in.RepositoryName}
	r, err := s.permittedRepository(k, "ecr:GetLifecyclePolicy", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, names, err
	}
	if r.lifecycle == "" {
		return nil, names, refuse("LifecyclePolicyNotFoundException", "Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", r.name, account)
	}
	return map[string]any{"registryId": account, "repositoryName": r.name, "lifecyclePolicyText": r.lifecycle}, names, nil
}
