package aws

import "errors"

func (s *Server) getParameter(k Key, body []byte) (any, []string, error) {
	var in struct {
		Name           string
		WithDecryption bool
	}
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	if in.Name == "" {
		return nil, nil, refuse("ValidationException", "1 validation error detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	value, err := s.readParameter(k, in.Name, in.WithDecryption)
	return map[string]any{"Parameter": value}, []string{in.Name}, err
}

// getParameters lists what it cannot find; what the caller may not read fails the whole call.
func (s *Server) getParameters(k Key, body []byte) (any, []string, error) {
	var in struct {
		Names          []string
		WithDecryption bool
	}
	if err := decode(body, &in); err != nil {
		return nil, nil, err
	}
	if err := tooLong(in.Names, "names", maxParameters); err != nil {
		return nil, in.Names, err
	}
	found, missing := []parameterValue{}, []string{}
	for _, name := range in.Names {
		value, err := s.readParameter(k, name, in.WithDecryption)
		switch {
		case err == nil:
			found = append(found, value)
		case errors.Is(err, errNoParameter), errors.Is(err, errNoVersion):
			missing = append(missing, name)
		default:
			return nil, in.Names, err
		}
	}
	return map[string]any{"Parameters": found, "InvalidParameters": missing}, in.Names, nil
}
