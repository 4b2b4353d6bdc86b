package image

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Preflight asks the registry for leave to push to a repository, so that a wrong name or missing rights are known before a
// build and not after it. It begins an upload, since some registries say no only then, and takes it back.
func Preflight(ctx context.Context, repository string) error {
	repo, err := repositoryOf(repository)
	if err != nil {
		return err
	}
	return classify(ctx, repo, "", preflight(ctx, repo))
}

func preflight(ctx context.Context, repo name.Repository) error {
	auth, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		return err
	}
	rights := []string{repo.Scope(transport.PushScope)}
	authorized, err := transport.NewWithContext(ctx, repo.Registry, auth, connection, rights)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: authorized}
	begin := url.URL{Scheme: repo.Scheme(), Host: repo.RegistryStr(), Path: "/v2/" + repo.RepositoryStr() + "/blobs/uploads/"}
	response, err := send(ctx, client, http.MethodPost, begin.String())
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // reading it to the end is for the connection's sake alone
	defer drain(response.Body)
	if err := transport.CheckError(response, http.StatusAccepted, http.StatusCreated); err != nil {
		return err
	}
	upload, err := response.Location()
	if err != nil || upload.Host != begin.Host {
		return nil // an upload that cannot be named is dropped by the registry after a while
	}
	// Whether the registry takes it back says nothing about pushing: some do not offer it.
	if response, err := send(ctx, client, http.MethodDelete, upload.String()); err == nil {
		defer func() { _ = response.Body.Close() }()
		drain(response.Body)
	}
	return nil
}

// send sends a request without a body; the caller drains the answer.
func send(ctx context.Context, client *http.Client, method, address string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(request)
}
