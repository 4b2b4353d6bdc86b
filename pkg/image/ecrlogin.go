package image

import (
	"context"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
)

// ecrSpare is how long before its end a login is no longer used: a request may be on its way for that long.
const ecrSpare = time.Minute

// ecrKeychain logs in to Amazon's registries with the AWS credentials that are here, and asks the next keychain about all
// others. Logins are kept in memory until they end; nothing is written, since runners are shared. It asks AWS first, because
// what another job left in docker's files may be over.
type ecrKeychain struct {
	next authn.Keychain

	mu     sync.Mutex
	logins map[string]*ecrLogin // by host
}

// ecrLogins is the process's only one, so that all calls share a login.
var ecrLogins = &ecrKeychain{next: authn.DefaultKeychain, logins: map[string]*ecrLogin{}}

// Resolve implements [authn.Keychain].
func (k *ecrKeychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), target)
}

// ResolveContext implements [authn.ContextKeychain].
func (k *ecrKeychain) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	l := k.login(target.RegistryStr())
	if l == nil {
		return authn.Resolve(ctx, k.next, target)
	}
	if other := l.instead(); other != nil {
		return other, nil
	}
	if _, err := l.token(ctx); err != nil {
		// docker may be logged in by a step before this one; public images need no login at all.
		other, otherErr := authn.Resolve(ctx, k.next, target)
		if otherErr == nil && (other != authn.Anonymous || l.host.public) {
			l.use(other)
			return other, nil
		}
		return nil, err
	}
	return l, nil
}

// login gives the login to a registry of Amazon's, nil for any other.
func (k *ecrKeychain) login(registry string) *ecrLogin {
	host, ok := parseECR(registry)
	if !ok {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.logins[registry]
	if l == nil {
		l = &ecrLogin{host: host, now: time.Now, fetch: fetchECRToken}
		k.logins[registry] = l
	}
	return l
}

// ecrLogin is the login to one registry. The client library asks it anew for each request, so it never sends one that is over.
type ecrLogin struct {
	host  ecrHost
	now   func() time.Time
	fetch func(context.Context, ecrHost) (ecrToken, error)

	mu    sync.Mutex // held while fetching: who comes meanwhile needs the same login
	held  ecrToken
	other authn.Authenticator // what the next keychain had when AWS gave no login
	until time.Time           // when AWS is to be asked again
}

// ecrAgain is how long AWS is not asked again where docker's login serves: finding out that a machine has no credentials takes
// seconds, and each call to the registry begins with it.
const ecrAgain = 10 * time.Minute

func (l *ecrLogin) use(other authn.Authenticator) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.other, l.until = other, l.now().Add(ecrAgain)
}

// instead gives the other keychain's login while AWS is not to be asked.
func (l *ecrLogin) instead() authn.Authenticator {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.other != nil && l.now().After(l.until) {
		l.other = nil
	}
	return l.other
}

// token gives a login that is valid for a while.
func (l *ecrLogin) token(ctx context.Context) (ecrToken, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held.password != "" && l.now().Add(ecrSpare).Before(l.held.expires) {
		return l.held, nil
	}
	fresh, err := l.fetch(ctx, l.host)
	if err != nil {
		return ecrToken{}, err
	}
	l.held = fresh
	return fresh, nil
}

// drop forgets a login that the registry refused, unless another request has brought a new one already.
func (l *ecrLogin) drop(password string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held.password == password {
		l.held = ecrToken{}
	}
}

// Authorization implements [authn.Authenticator].
func (l *ecrLogin) Authorization() (*authn.AuthConfig, error) {
	return l.AuthorizationContext(context.Background())
}

// AuthorizationContext implements [authn.ContextAuthenticator].
func (l *ecrLogin) AuthorizationContext(ctx context.Context) (*authn.AuthConfig, error) {
	token, err := l.token(ctx)
	if err != nil {
		return nil, err
	}
	return &authn.AuthConfig{Username: token.user, Password: token.password}, nil
}
