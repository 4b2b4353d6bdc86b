package secrets

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// maxParameters is the most names one GetParameters accepts.
const maxParameters = 10

const parameterPermission = "ssm:GetParameters, and kms:Decrypt on the key of SecureString parameters"

// readParameters reads each id, decrypted.
func (a *AWS) readParameters(ctx context.Context, ids []string) (map[string]found, []error) {
	return inBatches(ids, maxParameters, func(batch []string) (map[string]found, []error) {
		answers, missing, err := a.parametersOf(ctx, batch)
		if err != nil {
			return nil, []error{callError(err, Param, batch, parameterPermission)}
		}
		var problems []error
		for _, id := range missing {
			problems = append(problems, fmt.Errorf("looking up param %q: Parameter Store does not know it in this account and region", id))
		}
		return answers, problems
	})
}

// parametersOf makes one GetParameters. Parameter Store answers with status 200 also when it does not know some of the names.
func (a *AWS) parametersOf(ctx context.Context, ids []string) (answers map[string]found, missing []string, err error) {
	page, err := a.getParameters(ctx, &ssm.GetParametersInput{Names: ids, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, nil, err
	}
	answers = map[string]found{}
	for _, id := range ids {
		at := slices.IndexFunc(page.Parameters, func(p types.Parameter) bool { return answersTo(p, id) })
		if at < 0 {
			missing = append(missing, id)
			continue
		}
		parameter := page.Parameters[at]
		answers[id] = found{data: []byte(aws.ToString(parameter.Value)), version: parameterVersion(parameter)}
	}
	return answers, missing, nil
}

// answersTo says whether p is the answer to id: a name or an ARN, with or without ":version" or ":label".
func answersTo(p types.Parameter, id string) bool {
	selector := aws.ToString(p.Selector)
	return id == aws.ToString(p.Name)+selector || id == aws.ToString(p.ARN)+selector
}

// parameterVersion identifies what was read. The number alone would not: a parameter that is deleted and made again starts
// at version 1 with another value.
func parameterVersion(p types.Parameter) string {
	version := strconv.FormatInt(p.Version, 10)
	if p.LastModifiedDate != nil {
		version += "@" + strconv.FormatInt(p.LastModifiedDate.UnixMilli(), 10)
	}
	return version
}
