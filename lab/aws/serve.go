package aws

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// contentType is the protocol that most services speak.
const contentType = "application/x-amz-json-1.1"

// maxBody is far above what any request here needs.
const maxBody = 1 << 20

// refusal is an exception of AWS.
type refusal struct {
	status  int
	name    string
	message string
}

func (r *refusal) Error() string { return r.name + ": " + r.message }

func refuse(name, format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, name: name, message: fmt.Sprintf(format, args...)}
}

// operation reads its input from body and returns its output; names are what was asked for.
type operation func(s *Server, k Key, body []byte) (output any, names []string, err error)

// services maps the prefix of X-Amz-Target to the service's name in signatures and its operations.
var services = map[string]struct {
	name       string
	operations map[string]operation
}{
	"AmazonEC2ContainerRegistry_V20150921": {"ecr", map[string]operation{
		"GetAuthorizationToken": (*Server).ecrGetAuthorizationToken,
		"DescribeRepositories":  (*Server).ecrDescribeRepositories,
		"GetLifecyclePolicy":    (*Server).ecrGetLifecyclePolicy,
	}},
	"secretsmanager": {"secretsmanager", map[string]operation{
		"BatchGetSecretValue": (*Server).batchGetSecretValue,
		"GetSecretValue":      (*Server).getSecretValue,
		"DescribeSecret":      (*Server).describeSecret,
	}},
	"AmazonSSM": {"ssm", map[string]operation{
		"GetParameters": (*Server).getParameters,
		"GetParameter":  (*Server).getParameter,
	}},
	"TrentService": {"kms", map[string]operation{
		"Sign":         (*Server).kmsSign,
		"GetPublicKey": (*Server).kmsGetPublicKey,
		"DescribeKey":  (*Server).kmsDescribeKey,
	}},
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := Request{Time: s.clock().UTC(), ID: requestID(), Status: http.StatusOK}
	output, err := s.answer(r, &entry)
	var no *refusal
	switch {
	case errors.As(err, &no):
		entry.Status, entry.Error = no.status, no.name
		output = map[string]string{"__type": no.name, "message": no.message}
	case err != nil:
		// A fault of the double itself. It must be seen, so it is in the answer; it never holds a value.
		entry.Status, entry.Error = http.StatusInternalServerError, "InternalFailure"
		output = map[string]string{"__type": "InternalFailure", "message": "the double broke: " + err.Error()}
	}
	w.Header().Set("x-amzn-RequestId", entry.ID)
	// Logged first: who has the answer finds the request in the log.
	s.log.add(entry)
	switch entry.Service {
	case "sts":
		writeQuery(w, entry, output)
		return
	case "route53", "elasticloadbalancing":
		writeXML(w, entry, output)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(entry.Status)
	// An error here means that the caller has hung up; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(output)
}

func (s *Server) answer(r *http.Request, entry *Request) (any, error) {
	if name, ok := strings.CutPrefix(r.URL.Path, "/clusters/"); ok {
		return s.answerEKS(r, entry, name)
	}
	if path, ok := strings.CutPrefix(r.URL.Path, route53Version); ok {
		return s.answerRoute53(r, entry, path)
	}
	if r.Header.Get("Content-Type") == queryType {
		if signedService(r) == "elasticloadbalancing" {
			return s.answerELB(r, entry)
		}
		return s.answerSTS(r, entry)
	}
	prefix, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	service, known := services[prefix]
	if r.Method != http.MethodPost || r.URL.Path != "/" || !known || name == "" {
		return nil, notImplemented(r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Amz-Target"))
	}
	entry.Service, entry.Operation = service.name, name
	k, body, err := s.admit(r, entry)
	if err != nil {
		return nil, err
	}
	if got := r.Header.Get("Content-Type"); got != contentType {
		return nil, refuse("SerializationException", "the content type is %q, want %q", got, contentType)
	}
	do := service.operations[name]
	if do == nil {
		return nil, notImplemented(service.name + " " + name)
	}
	output, names, err := do(s, k, body)
	entry.Names = names
	return output, err
}

// admit reads the request's body and finds who signed it.
func (s *Server) admit(r *http.Request, entry *Request) (Key, []byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return Key{}, nil, &refusal{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the body cannot be read or is too large"}
	}
	k, err := s.verify(r, body, entry.Service)
	if err != nil {
		return Key{}, nil, err
	}
	k.region = signedRegion(r)
	entry.AccessKey = k.AccessKey
	if s.throttle > 0 {
		s.throttle--
		return Key{}, nil, refuse("ThrottlingException", "Rate exceeded")
	}
	return k, body, nil
}

// notImplemented keeps "the double lacks it" apart from everything that AWS could mean.
func notImplemented(what string) *refusal {
	return &refusal{http.StatusNotImplemented, "NotImplementedException", "AWS's double has no " + what}
}

// decode reads an operation's input.
func decode(body []byte, in any) error {
	if err := json.Unmarshal(body, in); err != nil {
		return refuse("SerializationException", "the body is not the JSON that the operation takes")
	}
	return nil
}

// tooLong is what AWS says of a list with more or fewer members than it takes.
func tooLong(values []string, field string, most int) error {
	if len(values) == 0 {
		return refuse("ValidationException", "1 validation error detected: Value '[]' at '%s' failed to satisfy constraint: Member must have length greater than or equal to 1", field)
	}
	if len(values) <= most {
		return nil
	}
	return refuse("ValidationException", "1 validation error detected: Value '[%s]' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d",
		strings.Join(values, ", "), field, most)
}

// requestID is a random UUID, the form AWS uses for requests and for versions of secrets.
func requestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
