package manifest

import (
	"fmt"
	"io"

	"github.com/org/promote/pkg/secrets"
)

// Opaque is template text in which tokens stand for values that are looked up after rendering. Templates get one from secret
// and param.
//
// It is a type of its own so that a function made for strings cannot take one, it is not comparable so that eq fails instead
// of comparing tokens, and it has no method that returns a string, because a template could call it.
type Opaque struct {
	text string
	_    [0]func()
}

// Format prints the text, tokens included, for the verbs that print text as it is. Any other verb, and a width or precision,
// would apply to the token and not to the value; what is printed then has no token, and the caller notices (see carried).
func (o Opaque) Format(f fmt.State, verb rune) {
	_, wide := f.Width()
	_, precise := f.Precision()
	switch {
	case wide || precise:
		_, _ = io.WriteString(f, "%!(secret)")
	case verb == 's' || verb == 'v':
		_, _ = io.WriteString(f, o.text)
	case verb == 'q':
		_, _ = fmt.Fprintf(f, "%q", o.text)
	default:
		_, _ = io.WriteString(f, "%!(secret)")
	}
}

// conversion says what happens to a value before it takes its token's place.
type conversion string

const (
	asIs     conversion = ""
	base64ed conversion = "b64enc"
	escaped  conversion = "urlquery"
	whole    conversion = "int"          // a number in the object
	wholeTxt conversion = "int text"     // the same number as text, once it is quoted or part of a longer text
	fraction conversion = "float64"      // a number in the object
	fracTxt  conversion = "float64 text" // the same number as text
)

// textForms maps the conversions that give a number to those that give its text.
var textForms = map[conversion]conversion{whole: wholeTxt, fraction: fracTxt}

// hole is what one token stands for: the value of ref or, when of is not empty, text that has tokens itself, converted.
type hole struct {
	ref  secrets.Ref
	of   string
	with conversion
}
