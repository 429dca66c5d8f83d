package merge

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// JSON returns the edits as the text of a JSON patch, that of Operations.
func (e *Edits) JSON() ([]byte, error) {
	w := &patchWriter{path: make([]byte, 0, 128)}
	if e.repeats {
		w.at = make(map[any]textRange)
	}
	w.text.Grow(2<<10 + 2*e.size) // paths are about as long as what containers gain
	w.encoder = json.NewEncoder(&w.text)
	w.text.WriteByte('[')
	for _, edit := range e.all {
		edit.write(w)
	}
	w.text.WriteByte(']')
	return w.text.Bytes(), w.err
}

// patchWriter writes operations straight into one buffer. An element that goes
// into several lists is encoded once.
type patchWriter struct {
	text    bytes.Buffer
	path    []byte
	encoder *json.Encoder
	at      map[any]textRange // where the text of an element stands, by its address; nil if none repeats
	err     error
}

type textRange struct{ from, to int }

func (e insert[T, P]) write(w *patchWriter) {
	w.path = e.list.appendPath(w.path[:0], e.owner)
	if e.length == 0 {
		w.begin()
		w.text.WriteByte('[')
		from := w.text.Len()
		for i, elem := range e.elems {
			if i > 0 {
				w.text.WriteByte(',')
			}
			w.element(elem)
			if i == 0 { // the others are about as long
				w.text.Grow((w.text.Len() - from + 64) * (len(e.elems) - 1))
			}
		}
		w.text.WriteString("]}")
		return
	}
	list := append(w.path, '/')
	for i, elem := range e.elems {
		w.path = strconv.AppendInt(list, int64(e.at+i), 10)
		w.begin()
		w.element(elem)
		w.text.WriteByte('}')
	}
}

func (e annotate) write(w *patchWriter) {
	if e.length == 0 {
		path, value := e.whole()
		w.path = append(w.path[:0], path...)
		w.begin()
		w.encode(value)
		w.text.WriteByte('}')
		return
	}
	for i := range e.added {
		w.path = appendKey(append(w.path[:0], annotationsPath+"/"...), e.added[i].key)
		w.begin()
		w.encode(&e.added[i].value)
		w.text.WriteByte('}')
	}
}

// begin begins an operation at the path, up to its value.
func (w *patchWriter) begin() {
	if w.text.Len() > 1 {
		w.text.WriteByte(',')
	}
	w.text.WriteString(`{"op":"add","path":"`)
	w.text.Write(w.path) // names of fields and of annotations, and numbers
	w.text.WriteString(`","value":`)
}

func (w *patchWriter) element(elem any) {
	if s, ok := w.at[elem]; ok {
		w.text.Write(w.text.Bytes()[s.from:s.to])
		return
	}
	from := w.text.Len()
	w.encode(elem)
	if w.at != nil {
		w.at[elem] = textRange{from, w.text.Len()}
	}
}

func (w *patchWriter) encode(value any) {
	if err := w.encoder.Encode(value); err != nil {
		w.err = err
		return
	}
	w.text.Truncate(w.text.Len() - len("\n"))
}
