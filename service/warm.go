package service

// Warm has the function called once before the first request, and returns the service. It is for what every request needs and
// takes a while to make, such as an index that is read into a map; to handle a request or two of the usual kind makes it all:
//
//	var program = service.New("finder", openrpc, service.Method("find", find)).Warm(func(s *service.Service) {
//		s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"find","params":["a"]}`))
//	})
//
// As a process the program calls it before it listens. A reactor calls it in its export warm: a host calls that once, keeps the
// instance as it is then, and begins every request there, so that what was made is never made again. What it takes of fuel is
// not taken from requests; it has as much as one of them. If there are several functions, they are called in their order.
//
// No answer may depend on it: a host need not call warm, and [Service.Handle] does not. So a method that misses what is made
// here makes it, with a sync.OnceValue as a rule. A panic outside of Handle ends the program.
func (s *Service) Warm(prepare func(*Service)) *Service {
	s.warm = append(s.warm, prepare)
	return s
}

// rehearse answers a request, for what all have in common.
func (s *Service) rehearse() {
	s.Handle([]byte(`{"jsonrpc":"2.0","id":1,"method":"rpc.discover","params":[]}`))
}

func (s *Service) prepare() {
	s.rehearse()
	for _, f := range s.warm {
		f(s)
	}
}
