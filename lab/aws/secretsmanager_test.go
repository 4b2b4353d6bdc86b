package aws

import (
	"fmt"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"
)

func TestSecrets(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.secrets(root)
	first, err := w.server.PutSecret("prod/checkout", "one")
	check(t, err)
	second, err := w.server.PutSecret("prod/checkout", "two")
	check(t, err)
	id := sdk.String("prod/checkout")

	t.Run("the current version is what one gets", func(t *testing.T) {
		out, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: id})
		check(t, err)
		if sdk.ToString(out.SecretString) != "two" || sdk.ToString(out.VersionId) != second || !slices.Equal(out.VersionStages, []string{"AWSCURRENT"}) {
			t.Errorf("got version %s with stages %v", sdk.ToString(out.VersionId), out.VersionStages)
		}
	})
	t.Run("an older one is had by its stage or its id", func(t *testing.T) {
		for _, in := range []*secretsmanager.GetSecretValueInput{
			{SecretId: id, VersionStage: sdk.String("AWSPREVIOUS")},
			{SecretId: id, VersionId: sdk.String(first)},
		} {
			if got, err := get(t, c, in); err != nil || got != "one" {
				t.Errorf("got %q, %v", got, err)
			}
		}
		_, err := get(t, c, &secretsmanager.GetSecretValueInput{SecretId: id, VersionStage: sdk.String("AWSPENDING")})
		wantError(t, err, "ResourceNotFoundException", "staging label: AWSPENDING")
	})
	t.Run("an ARN, whole or without its end, names the secret too", func(t *testing.T) {
		d, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: id})
		check(t, err)
		arn := sdk.ToString(d.ARN)
		for _, name := range []string{arn, arn[:len(arn)-7]} {
			if got, err := get(t, c, &secretsmanager.GetSecretValueInput{SecretId: &name}); err != nil || got != "two" {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
		want := map[string][]string{first: {"AWSPREVIOUS"}, second: {"AWSCURRENT"}}
		if diff := cmp.Diff(want, d.VersionIdsToStages); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a third value leaves no way to the first", func(t *testing.T) {
		_, err := w.server.PutSecret("prod/checkout", "three")
		check(t, err)
		_, err = get(t, c, &secretsmanager.GetSecretValueInput{SecretId: id, VersionId: sdk.String(first)})
		wantError(t, err, "ResourceNotFoundException", "VersionId: "+first)
	})
	t.Run("bytes come back as bytes", func(t *testing.T) {
		_, err := w.server.PutBinarySecret("binary", []byte{0, 255})
		check(t, err)
		out, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: sdk.String("binary")})
		check(t, err)
		if !slices.Equal(out.SecretBinary, []byte{0, 255}) || out.SecretString != nil {
			t.Errorf("got %v and %v", out.SecretBinary, out.SecretString)
		}
	})
	t.Run("what is not there is not found", func(t *testing.T) {
		_, err := get(t, c, &secretsmanager.GetSecretValueInput{SecretId: sdk.String("nothing")})
		wantError(t, err, "ResourceNotFoundException", "can't find the specified secret")
		_, err = c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: sdk.String("nothing")})
		wantError(t, err, "ResourceNotFoundException", "can't find the specified secret")
	})
	t.Run("an operation that the double lacks says so", func(t *testing.T) {
		_, err := c.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{}, noRetries)
		wantError(t, err, "NotImplementedException", "secretsmanager ListSecrets")
	})
}

func TestBatches(t *testing.T) {
	w := newWorld(t, Options{})
	check(t, w.server.AddKey(Key{AccessKey: "AKIAPROD", SecretKey: "prod-key", Allow: []string{"prod/"}}))
	for _, name := range []string{"prod/a", "prod/b", "prod/gone", "stage/a"} {
		_, err := w.server.PutSecret(name, "value of "+name)
		check(t, err)
	}
	check(t, w.server.DeleteSecret("prod/gone"))
	c := w.secrets(Key{AccessKey: "AKIAPROD", SecretKey: "prod-key"})

	t.Run("failures stand beside the values", func(t *testing.T) {
		out, err := c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{
			SecretIdList: []string{"prod/a", "prod/none", "prod/gone", "stage/a", "prod/b"},
		})
		check(t, err)
		values, failures := map[string]string{}, map[string]string{}
		for _, v := range out.SecretValues {
			values[sdk.ToString(v.Name)] = sdk.ToString(v.SecretString)
		}
		for _, e := range out.Errors {
			failures[sdk.ToString(e.SecretId)] = sdk.ToString(e.ErrorCode)
		}
		if diff := cmp.Diff(map[string]string{"prod/a": "value of prod/a", "prod/b": "value of prod/b"}, values); diff != "" {
			t.Error(diff)
		}
		want := map[string]string{"prod/none": "ResourceNotFoundException", "prod/gone": "InvalidRequestException", "stage/a": "AccessDeniedException"}
		if diff := cmp.Diff(want, failures); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("twenty are taken, twenty-one are not", func(t *testing.T) {
		var ids []string
		for i := range 21 {
			ids = append(ids, fmt.Sprintf("prod/%d", i))
		}
		out, err := c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: ids[:20]})
		check(t, err)
		if len(out.Errors) != 20 {
			t.Errorf("got %d errors", len(out.Errors))
		}
		_, err = c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: ids})
		wantError(t, err, "ValidationException", "less than or equal to 20")
	})
	t.Run("ids or filters, not both and not neither", func(t *testing.T) {
		_, err := c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{})
		wantError(t, err, "InvalidParameterException", "must be provided")
		filter := []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"prod"}}}
		_, err = c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"x"}, Filters: filter})
		wantError(t, err, "InvalidParameterException", "but not both")
	})
	t.Run("one secret that the policy does not allow is denied", func(t *testing.T) {
		_, err := get(t, c, &secretsmanager.GetSecretValueInput{SecretId: sdk.String("stage/a")})
		wantError(t, err, "AccessDeniedException", "user/AKIAPROD is not authorized to perform: secretsmanager:GetSecretValue")
		_, err = get(t, c, &secretsmanager.GetSecretValueInput{SecretId: sdk.String("stage/none")})
		wantError(t, err, "AccessDeniedException", "not authorized")
	})
}
