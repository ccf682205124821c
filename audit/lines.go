package audit

import (
	"bufio"
	"errors"
	"io"
)

// maxLine bounds one line of a log in bytes; a longer one is not read.
const maxLine = 1 << 20

// lines reads a log by lines, of any length, in bounded memory.
type lines struct {
	r *bufio.Reader
	n int // lines read
}

// next returns the next line without its end, and whether it was too long, in
// which case it is cut. The bytes are valid until the next call.
func (l *lines) next() (line []byte, long bool, err error) {
	line, err = l.r.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		_, err = l.r.ReadSlice('\n')
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0 && !long) {
		return nil, false, err
	}
	l.n++
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, long, nil
}
