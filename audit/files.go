package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// mostFiles bounds the files that are read at once.
const mostFiles = 200

// Progress is told how far the reading is: bytes of all files together and
// calls. It is called often and must be cheap.
type Progress func(read, total int64, calls int)

// Files reads logs together, in the order of time, into a. Their names are
// paths, "-" is stdin. It ends early when ctx does. The error names the file,
// and the line where it has one.
func Files(ctx context.Context, a *Audit, names []string, stdin io.Reader, progress Progress) ([]File, error) {
	return each(ctx, names, stdin, progress, a.Take)
}

// errEnough ends a reading that has what it wants.
var errEnough = errors.New("enough")

// Calls returns the calls to o's host that began in [from, to), at most so
// many, and whether there were more. It reads the files again.
func Calls(ctx context.Context, o Options, names []string, from, to time.Time, most int) (calls []Call, more bool, err error) {
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	_, err = each(ctx, names, nil, nil, func(c *Call) {
		switch {
		case c.At.Before(from) || o.Host != "" && c.Host != "" && !sameHost(o.Host, c.Host):
		case !c.At.Before(to):
			enough(errEnough)
		case len(calls) == most:
			more = true
			enough(errEnough)
		default:
			calls = append(calls, *c)
		}
	})
	if errors.Is(context.Cause(ctx), errEnough) {
		err = nil
	}
	return calls, more, err
}

// each hands the calls of all files to take, in the order of time.
func each(ctx context.Context, names []string, stdin io.Reader, progress Progress, take func(*Call)) ([]File, error) {
	if len(names) > mostFiles {
		return nil, fmt.Errorf("%d files are too many at once: give at most %d, or join them with cat and give \"-\"", len(names), mostFiles)
	}
	var p meterReader
	var in ordered
	var sources []*source
	for _, name := range names {
		r := stdin
		if name != "-" {
			f, err := os.Open(name)
			if err != nil {
				return nil, fmt.Errorf("%w (give the path of a log)", err)
			}
			defer f.Close()
			if info, err := f.Stat(); err == nil {
				p.total += info.Size()
			}
			r = f
		} else {
			name = "standard input"
		}
		s, err := open(name, p.counting(r))
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
		if err := in.add(s); err != nil {
			return nil, err
		}
	}
	err := drain(ctx, take, &in, func(calls int) {
		if progress != nil {
			progress(p.read, p.total, calls)
		}
	})
	files := make([]File, len(sources))
	for i, s := range sources {
		files[i] = s.File
	}
	return files, err
}

// drain hands every call to take.
func drain(ctx context.Context, take func(*Call), in *ordered, tell func(calls int)) error {
	const often = 1024
	for n := 1; ; n++ {
		if n%often == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			tell(n)
		}
		switch err := in.next(take); {
		case errors.Is(err, io.EOF):
			tell(n - 1)
			return nil
		case err != nil:
			return err
		}
	}
}

// meterReader counts the bytes read of all files.
type meterReader struct{ read, total int64 }

func (p *meterReader) counting(r io.Reader) io.Reader { return &countingReader{r, &p.read} }

type countingReader struct {
	r io.Reader
	n *int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	*c.n += int64(n)
	return n, err
}
