package secrets

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// maxSecrets is the most ids one BatchGetSecretValue accepts.
const maxSecrets = 20

const secretPermission = "secretsmanager:BatchGetSecretValue, and secretsmanager:GetSecretValue on each secret"

// readSecrets reads the current version of each id. An error per id that stays unanswered, and a call that failed stands
// for all of its ids.
func (a *AWS) readSecrets(ctx context.Context, ids []string) (map[string]found, []error) {
	return inBatches(ids, maxSecrets, func(batch []string) (map[string]found, []error) {
		entries, failures, err := a.batch(ctx, batch)
		if err != nil {
			return nil, []error{callError(err, Secret, batch, secretPermission)}
		}
		answers := map[string]found{}
		var problems []error
		for _, id := range batch {
			if failure, failed := failures[id]; failed {
				problems = append(problems, fmt.Errorf("looking up secret %q: %s", id, failure))
				continue
			}
			entry, ok := match(entries, id)
			if !ok {
				problems = append(problems, fmt.Errorf("looking up secret %q: Secrets Manager gave no answer for it", id))
				continue
			}
			answers[id] = secretData(entry.SecretString, entry.SecretBinary, entry.VersionId)
		}
		return answers, problems
	})
}

// secretData takes a secret's value from the one of two fields that holds it.
func secretData(text *string, binary []byte, version *string) found {
	if text != nil {
		return found{data: []byte(*text), version: aws.ToString(version)}
	}
	return found{data: binary, version: aws.ToString(version), binary: true}
}

// batch makes one BatchGetSecretValue, with its further pages. Failures of single secrets arrive with status 200.
func (a *AWS) batch(ctx context.Context, ids []string) (entries []types.SecretValueEntry, failures map[string]string, err error) {
	failures = map[string]string{}
	pages := secretsmanager.NewBatchGetSecretValuePaginator(a.secrets, &secretsmanager.BatchGetSecretValueInput{SecretIdList: ids})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, err
		}
		entries = append(entries, page.SecretValues...)
		for _, failure := range page.Errors {
			failures[aws.ToString(failure.SecretId)] = failureText(failure)
		}
	}
	return entries, failures, nil
}

func failureText(failure types.APIErrorType) string {
	text := aws.ToString(failure.ErrorCode)
	if message := aws.ToString(failure.Message); message != "" {
		text += ": " + message
	}
	if strings.HasPrefix(aws.ToString(failure.ErrorCode), "AccessDenied") {
		text += " (the role needs " + secretPermission + ")"
	}
	return text
}

// match finds the answer to id, which may be a name, an ARN, or an ARN without the six random characters at its end.
func match(entries []types.SecretValueEntry, id string) (types.SecretValueEntry, bool) {
	for _, entry := range entries {
		arn := aws.ToString(entry.ARN)
		if id == aws.ToString(entry.Name) || id == arn {
			return entry, true
		}
		if rest, ok := strings.CutPrefix(arn, id+"-"); ok && strings.HasPrefix(id, "arn:") && len(rest) == 6 {
			return entry, true
		}
	}
	return types.SecretValueEntry{}, false
}
