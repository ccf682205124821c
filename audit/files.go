package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
	err := drain(ctx, a, &in, func(calls int) {
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

// drain hands every call to a.
func drain(ctx context.Context, a *Audit, in *ordered, tell func(calls int)) error {
	const often = 1024
	for n := 1; ; n++ {
		if n%often == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			tell(n)
		}
		switch err := in.next(a.Take); {
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
