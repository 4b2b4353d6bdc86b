package image

import (
	"io"
	"log"
)

// quiet takes the test registry's request log.
var quiet = log.New(io.Discard, "", 0)
