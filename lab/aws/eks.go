package aws

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// EKSCluster is a cluster as DescribeCluster shows it.
type EKSCluster struct {
	Name string
	// Endpoint is the API server's address and CA the authority of its certificate, in PEM.
	Endpoint string
	CA       []byte
	// Status is ACTIVE when empty.
	Status string
	// AuthenticationMode is API when empty; with CONFIG_MAP the cluster has no access entries.
	AuthenticationMode string
	// Private takes the endpoint's public side away; PublicCIDRs, when set, are who may use it.
	Private     bool
	PublicCIDRs []string
}

// eksCluster is a cluster with its access entries: groups by the principal's ARN.
type eksCluster struct {
	EKSCluster
	entries map[string][]string
}

// PutEKSCluster makes a cluster known, or changes it; its access entries stay.
func (s *Server) PutEKSCluster(c EKSCluster) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Status == "" {
		c.Status = "ACTIVE"
	}
	if c.AuthenticationMode == "" {
		c.AuthenticationMode = "API"
	}
	held := s.eks[c.Name]
	if held == nil {
		held = &eksCluster{entries: map[string][]string{}}
		s.eks[c.Name] = held
	}
	held.EKSCluster = c
}

// PutAccessEntry lets a user or role into a cluster, with groups.
func (s *Server) PutAccessEntry(cluster, principal string, groups ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.eks[cluster]
	switch {
	case held == nil:
		return fmt.Errorf("putting an access entry: there is no cluster %q", cluster)
	case held.AuthenticationMode == "CONFIG_MAP":
		return errors.New("putting an access entry: InvalidRequestException: The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation")
	}
	held.entries[principal] = groups
	return nil
}

// answerEKS is EKS's protocol, REST with JSON: the cluster's name stands in the path.
func (s *Server) answerEKS(r *http.Request, entry *Request, name string) (any, error) {
	entry.Service, entry.Operation, entry.Names = "eks", "DescribeCluster", []string{name}
	if r.Method != http.MethodGet {
		return nil, notImplemented("eks " + r.Method + " " + r.URL.Path)
	}
	k, _, err := s.admit(r, entry)
	if err != nil {
		return nil, forbidding(err)
	}
	arn := fmt.Sprintf("arn:aws:eks:%s:%s:cluster/%s", k.region, account, name)
	if !k.allows(name) || slices.Contains(k.Deny, "eks:DescribeCluster") {
		return nil, forbidding(k.denied("eks:DescribeCluster", arn))
	}
	held := s.eks[name]
	if held == nil {
		return nil, &refusal{http.StatusNotFound, "ResourceNotFoundException", "No cluster found for name: " + name + "."}
	}
	cluster := map[string]any{
		"name": name, "arn": arn, "status": held.Status, "version": "1.34",
		"accessConfig": map[string]any{"authenticationMode": held.AuthenticationMode},
		"resourcesVpcConfig": map[string]any{
			"vpcId": "vpc-0lab", "clusterSecurityGroupId": "sg-0lab", "endpointPublicAccess": !held.Private, "endpointPrivateAccess": held.Private,
			"publicAccessCidrs": held.PublicCIDRs,
		},
	}
	if held.Status != "CREATING" { // what is being made has neither yet
		cluster["endpoint"] = held.Endpoint
		cluster["certificateAuthority"] = map[string]string{"data": base64.StdEncoding.EncodeToString(held.CA)}
	}
	return map[string]any{"cluster": cluster}, nil
}

// forbidding gives a refusal the status that REST and query services send for it.
func forbidding(err error) error {
	var no *refusal
	if errors.As(err, &no) && no.name != "ThrottlingException" {
		return &refusal{http.StatusForbidden, no.name, no.message}
	}
	return err
}
