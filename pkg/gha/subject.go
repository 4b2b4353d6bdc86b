package gha

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Identity gives two claims of the token by which a job proves to others who it is: iss and sub, for the audience. Both are "" for a job
// without `id-token: write`, which has no token. The token itself is masked before it is looked at, and kept nowhere.
func (a *Action) Identity(ctx context.Context, audience string) (issuer, subject string, err error) {
	if a.getenv("ACTIONS_ID_TOKEN_REQUEST_URL") == "" {
		return "", "", nil
	}
	a.Mask(a.getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	token, err := a.inner.GetIDToken(ctx, audience)
	if err != nil {
		return "", "", fmt.Errorf("asking the runner for the job's token: %w", err)
	}
	a.Mask(token)
	issuer, subject, err = claims(token)
	if err != nil {
		return "", "", fmt.Errorf("reading the job's token: %w", err)
	}
	return issuer, subject, nil
}

// claims reads a JSON Web Token. Its signature is the business of those whom it is shown to.
func claims(token string) (issuer, subject string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", fmt.Errorf("it has %d parts instead of 3", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", "", errors.New("its claims are not base64")
	}
	var found struct{ Iss, Sub string }
	if json.Unmarshal(text, &found) != nil || found.Sub == "" {
		return "", "", errors.New("its claims are not JSON with a sub")
	}
	return found.Iss, found.Sub, nil
}
