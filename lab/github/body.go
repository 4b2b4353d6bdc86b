package github

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// maxBody is far above what any request here needs; a larger body is refused, not read.
const maxBody = 4 << 20

// read takes the request's body in.
func (c *call) read() error {
	body, err := io.ReadAll(io.LimitReader(c.request.Body, maxBody+1))
	if err != nil {
		return refuse(http.StatusBadRequest, "Problems reading the body")
	}
	if len(body) > maxBody {
		return refuse(http.StatusRequestEntityTooLarge, "Request body is too large")
	}
	c.body = body
	return nil
}

// decode reads the request's JSON into in; an empty body is an empty object.
func (c *call) decode(in any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, in); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return refuse(http.StatusUnprocessableEntity, "Invalid request.\n\nFor '%s', a %s is not a %s.", wrong.Field, wrong.Value, wrong.Type)
		}
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	return nil
}

// number reads a path parameter that is an id; anything else names nothing.
func (c *call) number(name string) (int64, error) {
	n, err := strconv.ParseInt(c.params[name], 10, 64)
	if err != nil || n <= 0 {
		return 0, notFound()
	}
	return n, nil
}

// raw is an answer that is not JSON.
type raw string

// encode turns an answer into bytes and sets its headers. The status becomes 304 when the caller already
// has it.
func encode(r *http.Request, header http.Header, status int, body any) (int, []byte) {
	if body == nil {
		return status, nil
	}
	var data []byte
	if text, ok := body.(raw); ok {
		header.Set("Content-Type", "application/vnd.github.v3.sha; charset=utf-8")
		data = []byte(text)
	} else {
		header.Set("Content-Type", "application/json; charset=utf-8")
		var err error
		if data, err = json.Marshal(body); err != nil {
			return http.StatusInternalServerError, []byte(`{"message":"the double broke: its answer has no JSON form"}`)
		}
	}
	if r.Method == http.MethodGet && status == http.StatusOK {
		tag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(data))
		header.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			return http.StatusNotModified, nil
		}
	}
	return status, data
}
