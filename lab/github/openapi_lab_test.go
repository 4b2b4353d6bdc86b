//go:build lab

package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// GitHub's description is OpenAPI 3.0, full of `nullable`. kin-openapi validates 3.0 as such, while
// libopenapi-validator leaves it to a JSON Schema library, for which that word has no meaning
// (pb33f/libopenapi#265).

// description is GitHub's own, loaded once for all tests.
var description = sync.OnceValues(func() (*openapi3.T, error) {
	data, err := openAPI.file("generated/api.github.com.json")
	if err != nil {
		return nil, err
	}
	openapi3.DefineStringFormatValidator("uri", openapi3.NewCallbackValidator(func(value string) error {
		if value == "" {
			return nil // a deployment status' URLs have the default ""
		}
		u, err := url.Parse(value)
		if err == nil && (u.Scheme == "" || u.Host == "") {
			err = errors.New("it is not absolute")
		}
		return err
	}))
	return openapi3.NewLoader().LoadFromData(data)
})

// undocumented are the answers that GitHub gives everywhere although its description has them almost
// nowhere. Their bodies are checked against its error schemas all the same.
var undocumented = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity,
	http.StatusTooManyRequests,
}

// validating puts GitHub's description around the double: every answer must be one that GitHub gives, and a
// request that was not refused must be one that GitHub takes.
func validating(t *testing.T) func(http.Handler) http.Handler {
	spec, err := description()
	if err != nil {
		t.Fatal(err)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			if err := conforms(r, body, answer, spec); err != nil {
				t.Errorf("%s %s -> %d does not conform to GitHub's description: %v", r.Method, r.URL, answer.Code, err)
			}
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			if _, err := w.Write(answer.Body.Bytes()); err != nil {
				t.Log(err)
			}
		})
	}
}

func conforms(r *http.Request, body []byte, answer *httptest.ResponseRecorder, spec *openapi3.T) error {
	endpoint, params := findRoute(r.Method, r.URL)
	if answer.Code == http.StatusNotImplemented && endpoint == nil {
		return nil // the double says itself that this is not GitHub
	}
	if endpoint == nil {
		return errors.New("there is no such route")
	}
	input, err := requestInput(r, body, endpoint, params, spec)
	if err != nil {
		return err
	}
	if answer.Code < 400 {
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			return fmt.Errorf("the request was taken, but: %w", err)
		}
	}
	return conformsAnswer(r.Context(), input, answer, spec)
}

func requestInput(r *http.Request, body []byte, endpoint *route, params map[string]string, spec *openapi3.T) (*openapi3filter.RequestValidationInput, error) {
	item := spec.Paths.Value(endpoint.template)
	if item == nil || item.GetOperation(endpoint.method) == nil {
		return nil, fmt.Errorf("GitHub has no %s %s", endpoint.method, endpoint.template)
	}
	again := r.Clone(r.Context())
	again.Body = http.NoBody
	if len(body) > 0 {
		again.Body = io.NopCloser(bytes.NewReader(body))
	}
	return &openapi3filter.RequestValidationInput{
		Request: again, PathParams: params,
		Route:   &routers.Route{Spec: spec, Path: endpoint.template, PathItem: item, Method: endpoint.method, Operation: item.GetOperation(endpoint.method)},
		Options: &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}, nil
}

func conformsAnswer(ctx context.Context, input *openapi3filter.RequestValidationInput, answer *httptest.ResponseRecorder, spec *openapi3.T) error {
	if answer.Header().Get("X-GitHub-Request-Id") == "" {
		return errors.New("the answer has no X-GitHub-Request-Id")
	}
	if answer.Code == http.StatusNotModified {
		return nil // a conditional request works everywhere, and has no body
	}
	documented := input.Route.Operation.Responses.Status(answer.Code)
	if documented == nil {
		if !slices.Contains(undocumented, answer.Code) {
			return errors.New("GitHub never answers so")
		}
		return conformsError(answer, spec)
	}
	if strings.Contains(answer.Header().Get("Content-Type"), ".sha") {
		return nil // the description has no plain-text form
	}
	err := openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: answer.Code, Header: answer.Header(), Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(answer.Body.Bytes())),
	})
	if err != nil || answer.Code >= 400 || answer.Body.Len() == 0 {
		return err
	}
	var value any
	if err := json.Unmarshal(answer.Body.Bytes(), &value); err != nil {
		return err
	}
	return errors.Join(strangers(documented.Value.Content.Get("application/json").Schema, value, "")...)
}

// conformsError checks an answer that the operation does not document.
func conformsError(answer *httptest.ResponseRecorder, spec *openapi3.T) error {
	var value map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &value); err != nil {
		return err
	}
	schema := "basic-error"
	if _, listed := value["errors"]; listed {
		schema = "validation-error"
	}
	if text, _ := value["message"].(string); text == "" {
		return errors.New("an error without a message")
	}
	return spec.Components.Schemas[schema].Value.VisitJSON(value)
}

// strangers finds the keys of a value that the schema does not know. The description allows additional
// ones everywhere, so a validator alone would not see what the double made up.
func strangers(schema *openapi3.SchemaRef, value any, path string) []error {
	var found []error
	switch value := value.(type) {
	case []any:
		items := itemsOf(schema)
		for i, one := range value {
			if items != nil {
				found = append(found, strangers(items, one, fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	case map[string]any:
		known, open := propertiesOf(schema, value)
		for name, one := range value {
			if sub := known[name]; sub != nil {
				found = append(found, strangers(sub, one, path+"."+name)...)
			} else if !open {
				found = append(found, fmt.Errorf("GitHub has no %s.%s", path, name))
			}
		}
	}
	return found
}

func alternatives(schema *openapi3.SchemaRef) []*openapi3.SchemaRef {
	s := schema.Value
	return slices.Concat(s.OneOf, s.AnyOf, s.AllOf)
}

func itemsOf(schema *openapi3.SchemaRef) *openapi3.SchemaRef {
	if schema.Value.Items != nil {
		return schema.Value.Items
	}
	for _, other := range alternatives(schema) {
		if items := itemsOf(other); items != nil {
			return items
		}
	}
	return nil
}

// fitting are the alternatives that an object can be: where they are told apart by `type`, as the rules of a branch are, those of its own.
func fitting(schema *openapi3.SchemaRef, of map[string]any) []*openapi3.SchemaRef {
	all := alternatives(schema)
	if _, told := of["type"]; !told || len(schema.Value.OneOf) < 2 {
		return all
	}
	some := slices.DeleteFunc(slices.Clone(all), func(one *openapi3.SchemaRef) bool {
		known, _ := propertiesOf(one, nil)
		return known["type"] == nil || !slices.Contains(known["type"].Value.Enum, of["type"])
	})
	if len(some) == 0 {
		return all
	}
	return some
}

// propertiesOf are the keys of an object by name, those of its alternatives too; open says that it is a map.
func propertiesOf(schema *openapi3.SchemaRef, of map[string]any) (known map[string]*openapi3.SchemaRef, open bool) {
	known = maps.Clone(map[string]*openapi3.SchemaRef(schema.Value.Properties))
	if known == nil {
		known = map[string]*openapi3.SchemaRef{}
	}
	open = schema.Value.AdditionalProperties.Schema != nil || len(known) == 0 && len(alternatives(schema)) == 0
	for _, other := range fitting(schema, of) {
		more, _ := propertiesOf(other, of)
		maps.Copy(known, more)
		// One that says itself that anything goes, as a deployment's payload does.
		says := other.Value.AdditionalProperties.Has
		open = open || says != nil && *says
	}
	return known, open
}

func TestEveryRouteIsOneOfGitHubs(t *testing.T) {
	spec, err := description()
	check(t, err)
	for _, r := range routes {
		t.Run(r.method+" "+r.template, func(t *testing.T) {
			item := spec.Paths.Value(r.template)
			if item == nil || item.GetOperation(r.method) == nil {
				t.Error("GitHub has no such operation")
			}
		})
	}
}

// TestTheValidatorObjects keeps the check itself from going blind.
func TestTheValidatorObjects(t *testing.T) {
	spec, err := description()
	check(t, err)
	const path = "/repos/acme/checkout/issues/1/comments"
	good := object{
		"id": 1, "node_id": "x", "url": "http://x/1", "html_url": "http://x/1", "issue_url": "http://x/1", "user": nil,
		"created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z", "author_association": "NONE",
	}
	for _, test := range []struct {
		name, request string
		status        int
		answer        object
		want          string
	}{
		{"a good answer", `{"body":"x"}`, 201, good, ""},
		{"a missing key", `{"body":"x"}`, 201, good.without("node_id"), `"node_id" is missing`},
		{"a key of our own", `{"body":"x"}`, 201, good.with(object{"colour": "red"}), "GitHub has no .colour"},
		{"a wrong type", `{"body":"x"}`, 201, good.with(object{"id": "1"}), "must be an integer"},
		{"a time without a zone", `{"body":"x"}`, 201, good.with(object{"created_at": "2026-01-02 03:04:05"}), "date-time"},
		{"a relative URL", `{"body":"x"}`, 201, good.with(object{"url": "/1"}), "not absolute"},
		{"a status of our own", `{"body":"x"}`, 418, object{"message": "x"}, "GitHub never answers so"},
		{"a bad request that was taken", `{"text":"x"}`, 201, good, `"body" is missing`},
		{"a bad request that was refused", `{"text":"x"}`, 422, object{"message": "x", "documentation_url": "http://x"}, ""},
		{"a refusal that says nothing", `{"body":"x"}`, 401, object{}, "without a message"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", path, strings.NewReader(test.request))
			r.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			answer.Header().Set("X-GitHub-Request-Id", "1")
			status, data := encode(r, answer.Header(), test.status, test.answer)
			answer.WriteHeader(status)
			_, err := answer.Write(data)
			check(t, err)
			err = conforms(r, []byte(test.request), answer, spec)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
