package aws

import (
	"errors"
	"time"
)

// maxBatch is the most secrets that one BatchGetSecretValue takes.
const maxBatch = 20

// secretValue is one secret in an answer.
type secretValue struct {
	ARN           string
	CreatedDate   float64
	Name          string
	SecretBinary  []byte  `json:",omitempty"`
	SecretString  *string `json:",omitempty"`
	VersionID     string  `json:"VersionId"`
	VersionStages []string
}

// epoch is a time as the JSON protocol writes it: seconds, with a fraction.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (held *secret) show(v *version) secretValue {
	return secretValue{
		ARN: held.arn, CreatedDate: epoch(v.created), Name: held.name,
		SecretBinary: v.binary, SecretString: v.text, VersionID: v.id, VersionStages: v.stages,
	}
}

// readSecret is what GetSecretValue and the batch have in common. IAM is asked before the secret is looked for.
func (s *Server) readSecret(k Key, id, versionID, stage string) (secretValue, error) {
	held, name := s.findSecret(id)
	if !k.allows(name) {
		return secretValue{}, k.denied("secretsmanager:GetSecretValue", id)
	}
	if held == nil {
		return secretValue{}, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	if held.deleted {
		return secretValue{}, refuse("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	}
	v, err := held.find(versionID, stage)
	if err != nil {
		return secretValue{}, err
	}
	return held.show(v), nil
}

func (s *Server) getSecretValue(k Key, body []byte) (any, []string, error) {
	var in struct{ SecretID, VersionID, VersionStage string }
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	if in.SecretID == "" {
		return nil, nil, refuse("ValidationException", "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null")
	}
	value, err := s.readSecret(k, in.SecretID, in.VersionID, in.VersionStage)
	return value, []string{in.SecretID}, err
}

// batchError is one secret of a batch that could not be read.
type batchError struct {
	SecretID  string `json:"SecretId"`
	ErrorCode string
	Message   string
}

func (s *Server) batchGetSecretValue(k Key, body []byte) (any, []string, error) {
	var in struct {
		SecretIDList []string `json:"SecretIdList"`
		Filters      []any
		MaxResults   *int
		NextToken    string
	}
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	if len(in.Filters) > 0 && len(in.SecretIDList) > 0 || len(in.Filters) == 0 && len(in.SecretIDList) == 0 {
		return nil, nil, refuse("InvalidParameterException", "Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	}
	if len(in.Filters) > 0 {
		return nil, nil, notImplemented("BatchGetSecretValue with Filters")
	}
	if in.MaxResults != nil || in.NextToken != "" {
		return nil, nil, refuse("InvalidParameterException", "'MaxResults' and 'NextToken' can only be used with 'Filters'.")
	}
	if err := tooLong(in.SecretIDList, "secretIdList", maxBatch); err != nil {
		return nil, in.SecretIDList, err
	}
	out := struct {
		Errors       []batchError
		SecretValues []secretValue
	}{[]batchError{}, []secretValue{}}
	for _, id := range in.SecretIDList {
		value, err := s.readSecret(k, id, "", "")
		if no, refused := errors.AsType[*refusal](err); refused {
			out.Errors = append(out.Errors, batchError{SecretID: id, ErrorCode: no.name, Message: no.message})
			continue
		}
		if err != nil {
			return nil, in.SecretIDList, err
		}
		out.SecretValues = append(out.SecretValues, value)
	}
	return out, in.SecretIDList, nil
}

func (s *Server) describeSecret(k Key, body []byte) (any, []string, error) {
	var in struct{ SecretID string }
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	names := []string{in.SecretID}
	held, name := s.findSecret(in.SecretID)
	if !k.allows(name) {
		return nil, names, k.denied("secretsmanager:DescribeSecret", in.SecretID)
	}
	if held == nil {
		return nil, names, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	stages := map[string][]string{}
	for _, v := range held.versions {
		stages[v.id] = v.stages
	}
	out := map[string]any{
		"ARN": held.arn, "Name": held.name, "CreatedDate": epoch(held.created), "VersionIdsToStages": stages,
		"LastChangedDate": epoch(held.versions[len(held.versions)-1].created),
	}
	if held.deleted {
		out["DeletedDate"] = epoch(s.clock())
	}
	return out, names, nil
}
