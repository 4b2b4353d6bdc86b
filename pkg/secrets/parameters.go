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

// readParameters reads each id, decrypted. Parameter Store lists the names it does not know under InvalidParameters.
func (a *AWS) readParameters(ctx context.Context, ids []string) (map[string]found, []error) {
	answers := map[string]found{}
	var problems []error
	for batch := range slices.Chunk(ids, maxParameters) {
		page, err := a.parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: batch, WithDecryption: aws.Bool(true)})
		if err != nil {
			problems = append(problems, callError(err, Param, batch, parameterPermission))
			continue
		}
		for _, id := range batch {
			at := slices.IndexFunc(page.Parameters, func(p types.Parameter) bool { return answersTo(p, id) })
			if at < 0 {
				problems = append(problems, fmt.Errorf("looking up param %q: Parameter Store does not know it in this account and region", id))
				continue
			}
			parameter := page.Parameters[at]
			answers[id] = found{data: []byte(aws.ToString(parameter.Value)), version: parameterVersion(parameter)}
		}
	}
	return answers, problems
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
