package secrets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// Recorded finds the versions of refs in a record that has them by Ref.String, such as a release keeps. The error names every
// ref that is not in it.
func Recorded(refs []Ref, record map[string]string) (map[Ref]string, error) {
	versions := make(map[Ref]string, len(refs))
	var problems []error
	for _, ref := range slices.Compact(slices.SortedFunc(slices.Values(refs), Ref.Compare)) {
		version := record[ref.String()]
		if version == "" {
			problems = append(problems, fmt.Errorf("restoring %s: no version of it was recorded", ref))
			continue
		}
		versions[ref] = version
	}
	return versions, errors.Join(problems...)
}

// pin is one id at one version.
type pin struct{ id, version string }

// ResolveAt looks up every ref at its version. What is still current comes 20 a call; each other version of a secret takes a
// call of its own, since BatchGetSecretValue knows no versions. Secrets Manager deletes versions that have lost their staging
// labels at a time of its own choosing, and Parameter Store all but the last 100; a version that is gone is an error by name.
func (a *AWS) ResolveAt(ctx context.Context, versions map[Ref]string) (map[Ref]Value, error) {
	refs := slices.Collect(maps.Keys(versions))
	if err := checkAll(refs); err != nil {
		return nil, err
	}
	pins := map[Kind]map[pin]bool{Secret: {}, Param: {}}
	for ref, version := range versions {
		pins[ref.Kind][pin{ref.ID, version}] = true
	}
	var fromSecrets, fromParameters map[pin]found
	var noSecret, noParameter []error
	var both sync.WaitGroup
	both.Go(func() { fromSecrets, noSecret = a.secretsAt(ctx, sorted(pins[Secret])) })
	both.Go(func() { fromParameters, noParameter = a.parametersAt(ctx, sorted(pins[Param])) })
	both.Wait()
	return gather(refs, func(ref Ref) (found, bool) {
		from := fromSecrets
		if ref.Kind == Param {
			from = fromParameters
		}
		answer, ok := from[pin{ref.ID, versions[ref]}]
		return answer, ok
	}, slices.Concat(noSecret, noParameter))
}

// secretsAt reads what is current in batches, and then each version that is not.
func (a *AWS) secretsAt(ctx context.Context, pins []pin) (map[pin]found, []error) {
	names := make([]string, len(pins))
	for i, p := range pins {
		names[i] = p.id
	}
	current, problems := a.readSecrets(ctx, slices.Compact(names))
	answers := map[pin]found{}
	older := map[string]pin{}
	for _, p := range pins {
		switch now, ok := current[p.id]; {
		case ok && now.version == p.version:
			answers[p] = now
		case ok:
			older[p.id+" "+p.version] = p // No id has a blank.
		}
	}
	read, failed := inBatches(slices.Sorted(maps.Keys(older)), 1, func(batch []string) (map[string]found, []error) {
		answer, err := a.secretAt(ctx, older[batch[0]])
		if err != nil {
			return nil, []error{err}
		}
		return map[string]found{batch[0]: answer}, nil
	})
	for key, answer := range read {
		answers[older[key]] = answer
	}
	return answers, slices.Concat(problems, failed)
}

// secretAt makes one GetSecretValue.
func (a *AWS) secretAt(ctx context.Context, p pin) (found, error) {
	out, err := a.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &p.id, VersionId: &p.version})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ResourceNotFoundException" {
		return found{}, gone(Secret, p.id, p.version)
	}
	if err != nil {
		return found{}, callError(err, Secret, []string{p.id}, secretPermission)
	}
	if got := aws.ToString(out.VersionId); got != p.version {
		return found{}, fmt.Errorf("looking up secret %q: version %q was asked for, and %q came", p.id, p.version, got)
	}
	return secretData(out.SecretString, out.SecretBinary, out.VersionId), nil
}

// parametersAt reads parameters by "name:version".
func (a *AWS) parametersAt(ctx context.Context, pins []pin) (map[pin]found, []error) {
	wanted := map[string][]pin{} // "name" and "name:label" at one version are one question.
	for _, p := range pins {
		number, _, _ := strings.Cut(p.version, "@")
		name := unselected(p.id) + ":" + number
		wanted[name] = append(wanted[name], p)
	}
	read, problems := inBatches(slices.Sorted(maps.Keys(wanted)), maxParameters, func(batch []string) (map[string]found, []error) {
		answers, _, err := a.parametersOf(ctx, batch)
		if err != nil {
			return nil, []error{callError(err, Param, batch, parameterPermission)}
		}
		for _, name := range batch {
			if _, ok := answers[name]; !ok {
				answers[name] = found{} // Not there is like there at another version.
			}
		}
		return answers, nil
	})
	answers := map[pin]found{}
	for name, answer := range read {
		for _, p := range wanted[name] {
			if answer.version != p.version { // Deleted and made again, the same number is another value.
				problems = append(problems, gone(Param, p.id, p.version))
				continue
			}
			answers[p] = answer
		}
	}
	return answers, problems
}

// unselected is a parameter's name or ARN without ":version" or ":label". Names have no colon, ARNs have five.
func unselected(id string) string {
	start := 0
	if strings.HasPrefix(id, "arn:") {
		start = max(strings.Index(id, ":parameter"), 0) + 1
	}
	if colon := strings.IndexByte(id[start:], ':'); colon >= 0 {
		return id[:start+colon]
	}
	return id
}

// gone is the error of a version that the store does not have any more.
func gone(kind Kind, id, version string) error {
	return fmt.Errorf("looking up %s %q: its version %q is gone from the store; roll forward instead, or store the earlier value again "+
		"and deploy with that", kind, id, version)
}

func sorted(pins map[pin]bool) []pin {
	return slices.SortedFunc(maps.Keys(pins), func(a, b pin) int {
		return strings.Compare(a.id+" "+a.version, b.id+" "+b.version)
	})
}
