package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Looked is what came of looking for one ref; it holds no value.
type Looked struct {
	// Ref is without its key where the secret as a whole can't be read, which is told once.
	Ref Ref
	// Version is the one that is current; "" with an error.
	Version string
	// Err names the ref and says what AWS says; nil when the value is there and may be read.
	Err error
	// Fix is what to change, and may have lines to copy.
	Fix string
}

// Look reads every ref, drops the values, and says of each whether it can be read. It asks as [AWS.Resolve] does; where a call is
// refused as a whole, each id is asked for by itself, so that one that may not be read does not hide the others.
func (a *AWS) Look(ctx context.Context, refs []Ref) []Looked {
	refs = slices.Compact(slices.SortedFunc(slices.Values(refs), Ref.Compare))
	var secret, param answers
	var both sync.WaitGroup
	both.Go(func() {
		secret = ask(ids(valid(refs), Secret), func(ids []string) (map[string]found, []error) { return a.readSecrets(ctx, ids) })
	})
	both.Go(func() {
		param = ask(ids(valid(refs), Param), func(ids []string) (map[string]found, []error) { return a.readParameters(ctx, ids) })
	})
	both.Wait()
	all := make([]Looked, len(refs))
	for i, ref := range refs {
		all[i] = map[Kind]answers{Secret: secret, Param: param}[ref.Kind].of(ref)
	}
	return slices.CompactFunc(all, func(a, b Looked) bool { return a.Ref == b.Ref })
}

// valid are the refs that can name something.
func valid(refs []Ref) []Ref {
	return slices.DeleteFunc(slices.Clone(refs), func(r Ref) bool { return r.Check() != nil })
}

// answers are what a store said to each id.
type answers struct {
	found   map[string]found
	refused map[string]error
}

// ask asks for all ids at once, and again one by one for those that went without an answer.
func ask(ids []string, read func([]string) (map[string]found, []error)) answers {
	all := answers{refused: map[string]error{}}
	if len(ids) == 0 {
		return all
	}
	all.found, _ = read(ids)
	for _, id := range ids {
		if _, ok := all.found[id]; ok {
			continue
		}
		one, problems := read([]string{id})
		if answer, ok := one[id]; ok {
			all.found = withAnswer(all.found, id, answer)
			continue
		}
		all.refused[id] = errors.Join(problems...)
	}
	return all
}

func withAnswer(all map[string]found, id string, answer found) map[string]found {
	if all == nil {
		all = map[string]found{}
	}
	all[id] = answer
	return all
}

// of says what is known of a ref.
func (a answers) of(ref Ref) Looked {
	if err := ref.Check(); err != nil {
		return Looked{Ref: ref, Err: err, Fix: "mend its name in the manifests"}
	}
	answer, ok := a.found[ref.ID]
	if !ok {
		return Looked{Ref: Ref{Kind: ref.Kind, ID: ref.ID}, Err: a.refused[ref.ID], Fix: fix(ref, a.refused[ref.ID])}
	}
	value, err := answer.value(ref)
	if err != nil {
		return Looked{Ref: ref, Err: err, Fix: fmt.Sprintf("put key `%s` into the JSON of secret `%s`, or name one that it has in the manifests", ref.Key, ref.ID)}
	}
	return Looked{Ref: ref, Version: value.Version}
}

// fix says what to change after a refusal. AWS says of a key that it may not use either "Access to KMS is not allowed" or "The ciphertext
// refers to a customer master key that …".
func fix(ref Ref, err error) string {
	text := err.Error()
	denied := strings.Contains(text, "AccessDenied")
	switch {
	case strings.Contains(text, "KMS") || strings.Contains(text, "ciphertext") || strings.Contains(text, "DecryptionFailure"):
		return fmt.Sprintf("allow the job's role `kms:Decrypt` on the KMS key that %s `%s` is encrypted with, in the role's policy and in the key's", ref.Kind, ref.ID)
	case denied && ref.Kind == Secret:
		return fmt.Sprintf("allow the job's role `secretsmanager:BatchGetSecretValue` on `*` and `secretsmanager:GetSecretValue` on `%s`", ref.ID)
	case denied:
		return fmt.Sprintf("allow the job's role `ssm:GetParameters` on `%s`", ref.ID)
	case strings.Contains(text, "ResourceNotFound") && ref.Kind == Secret:
		return fmt.Sprintf("make secret `%s` in this account and region, or mend its name in the manifests", ref.ID)
	case strings.Contains(text, "does not know it"):
		return fmt.Sprintf("make parameter `%s` in this account and region, or mend its name in the manifests", ref.ID)
	}
	return ""
}
