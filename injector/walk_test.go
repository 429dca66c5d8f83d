package injector_test

import (
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
)

// withSpare returns a copy of the Pod in which each slice has spare capacity
// that holds marks, as a caller's slice may be a part of a larger one.
func withSpare(pod *corev1.Pod) *corev1.Pod {
	out := pod.DeepCopy()
	walk(reflect.ValueOf(out), func(v reflect.Value) {
		if v.Kind() != reflect.Slice || !v.CanSet() || v.IsNil() {
			return
		}
		larger := reflect.MakeSlice(v.Type(), v.Len()+3, v.Len()+3)
		reflect.Copy(larger, v)
		for i := v.Len(); i < larger.Len(); i++ {
			mark(larger.Index(i))
		}
		v.Set(larger.Slice(0, v.Len()))
	})
	return out
}

// spareChanged returns where the spare capacity that withSpare made does not
// hold its marks any more.
func spareChanged(pod *corev1.Pod) (changed []string) {
	walk(reflect.ValueOf(pod), func(v reflect.Value) {
		if v.Kind() != reflect.Slice || v.IsNil() {
			return
		}
		whole := v.Slice(0, v.Cap())
		for i := v.Len(); i < whole.Len(); i++ {
			want := reflect.New(v.Type().Elem()).Elem()
			mark(want)
			if !reflect.DeepEqual(want.Interface(), whole.Index(i).Interface()) {
				changed = append(changed, fmt.Sprintf("%v behind the length", v.Type()))
			}
		}
	})
	return changed
}

func mark(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("mark")
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Field(i).Kind() == reflect.String {
				v.Field(i).SetString("mark")
			}
		}
	}
}

// scramble changes all that can be reached from v: strings, numbers, elements
// of maps and slices. Whatever shares memory with v changes too.
func scramble(v any) {
	walk(reflect.ValueOf(v), func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Map:
			for _, key := range v.MapKeys() {
				v.SetMapIndex(key, reflect.Zero(v.Type().Elem()))
			}
			if key := reflect.New(v.Type().Key()).Elem(); key.Kind() == reflect.String && !v.IsNil() {
				key.SetString("scrambled")
				v.SetMapIndex(key, reflect.Zero(v.Type().Elem()))
			}
		case reflect.String:
			if v.CanSet() {
				v.SetString(v.String() + "-scrambled")
			}
		case reflect.Bool:
			if v.CanSet() {
				v.SetBool(!v.Bool())
			}
		case reflect.Int32, reflect.Int64:
			if v.CanSet() {
				v.SetInt(v.Int() + 1)
			}
		case reflect.Uint8:
			if v.CanSet() {
				v.SetUint((v.Uint() + 1) % 256)
			}
		}
	})
}

// walk visits v and all that can be reached from it, the deepest first.
func walk(v reflect.Value, visit func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			walk(v.MapIndex(key), visit)
		}
	}
	visit(v)
}
