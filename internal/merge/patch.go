package merge

import (
	"encoding/json"
	"slices"
	"strconv"
)

// JSON returns the JSON text of Operations.
func (e *Edits) JSON() ([]byte, error) {
	w := &patchWriter{path: make([]byte, 0, 128), text: make([]byte, 0, 1<<10+e.size*3/2)}
	w.raw("[")
	for _, edit := range e.all {
		edit.write(w)
	}
	w.raw("]")
	return w.text, w.err
}

// patchWriter writes operations directly into one buffer.
type patchWriter struct {
	text    []byte
	path    []byte
	encoder *json.Encoder // for types without their own writer
	err     error
}

func (e insert[T, P]) write(w *patchWriter) {
	w.path = e.list.appendPath(w.path[:0], e.owner)
	if e.length == 0 {
		w.begin()
		w.raw("[")
		for i, elem := range e.elems {
			w.text = comma(w.text, i)
			w.element(elem, len(e.elems)-i)
		}
		w.raw("]}")
		return
	}
	list := append(w.path, '/')
	for i, elem := range e.elems {
		w.path = strconv.AppendInt(list, int64(e.at+i), 10)
		w.begin()
		w.element(elem, len(e.elems)-i)
		w.raw("}")
	}
}

func (e annotate) write(w *patchWriter) {
	size := 0
	for _, a := range e.added {
		size += len(a.key) + len(a.value)*9/8 + 64 // with some escapes and the rest of the operation
	}
	w.text = slices.Grow(w.text, size)
	if e.length == 0 {
		w.path = append(w.path[:0], e.firstPath()...)
		w.begin()
		w.annotations(e)
		w.raw("}")
		return
	}
	for i := range e.added {
		w.path = appendKey(append(w.path[:0], annotationsPath+"/"...), e.added[i].key)
		w.begin()
		w.text = appendText(w.text, e.added[i].value)
		w.raw("}")
	}
}

// annotations writes the value of the operation that adds the first annotations. Of
// duplicate keys, only the last is written.
func (w *patchWriter) annotations(e annotate) {
	if e.noMetadata {
		w.raw(`{"annotations":`)
	}
	w.raw("{")
	for i, a := range e.added {
		if i+1 < len(e.added) && e.added[i+1].key == a.key {
			continue
		}
		if w.text[len(w.text)-1] != '{' {
			w.raw(",")
		}
		w.text = appendText(w.text, a.key)
		w.text = appendText(append(w.text, ':'), a.value)
	}
	w.raw("}")
	if e.noMetadata {
		w.raw("}")
	}
}

func (w *patchWriter) raw(text string) { w.text = append(w.text, text...) }

// begin writes an operation up to its value.
func (w *patchWriter) begin() {
	if len(w.text) > 1 {
		w.raw(",")
	}
	w.raw(`{"op":"add","path":"`)
	w.text = append(w.text, w.path...) // field and annotation names and numbers, which need no escapes
	w.raw(`","value":`)
}

// element writes an element. left is the number of elements not yet written, including this
// one; it makes room for all of them, because most lists have elements of similar length.
func (w *patchWriter) element(elem any, left int) {
	from := len(w.text)
	w.encode(elem)
	if size := len(w.text) - from; cap(w.text)-len(w.text) < size {
		w.text = slices.Grow(w.text, min((left-1)*(size+len(w.path)+48), len(w.text)+1<<16))
	}
}

func (w *patchWriter) encode(elem any) {
	if text, ok := appendElement(w.text, elem); ok {
		w.text = text
		return
	}
	if w.encoder == nil {
		w.encoder = json.NewEncoder(w)
	}
	if err := w.encoder.Encode(elem); err != nil {
		w.err = err
		return
	}
	w.text = w.text[:len(w.text)-len("\n")]
}

// Write implements io.Writer for the encoder.
func (w *patchWriter) Write(text []byte) (int, error) {
	w.text = append(w.text, text...)
	return len(text), nil
}
