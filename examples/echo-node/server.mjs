// A service in plain Node: JSON-RPC 2.0 over HTTP, as docs/write-a-service.md asks of every language. What it answers depends on
// the request alone: no clock, no chance, no locale, nothing remembered; and the members of its answers are in one order.
import { createServer } from 'node:http'

class Failure extends Error {
  constructor(code, message) { super(message); this.code = code }
}

// A method has its params in the order of openrpc.json, so that callers may give them by position.
const methods = {
  text_echo: { params: ['text'], call: text => text },
  text_words: { params: ['text'], call: text => {
    const counts = new Map()
    for (const word of text.match(/[a-z0-9]+/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1)
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, count]) => ({ word, count }))
  } },
}

function call({ method, params = [] }) {
  if (!Object.hasOwn(methods, method)) throw new Failure(-32601, 'method not found')
  const known = methods[method].params
  if (Object.keys(params).length !== known.length) throw new Failure(-32602, `params: want ${known}`)
  return methods[method].call(...known.map((name, i) => {
    const value = Array.isArray(params) ? params[i] : Object.hasOwn(params, name) ? params[name] : undefined
    if (typeof value !== 'string') throw new Failure(-32602, `param ${name}: want a string`)
    return value
  }))
}

function answer(body) {
  let request
  try { request = JSON.parse(body) } catch { return { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'not JSON' } } }
  const { jsonrpc, id = null, method, params = [] } = request ?? {}
  if (jsonrpc !== '2.0' || typeof method !== 'string' || params === null || typeof params !== 'object') {
    return { jsonrpc: '2.0', id, error: { code: -32600, message: 'not a request' } }
  }
  try { return { jsonrpc: '2.0', id, result: call({ method, params }) } } catch (e) {
    if (!(e instanceof Failure)) return { jsonrpc: '2.0', id, error: { code: -32603, message: 'internal error' } }
    return { jsonrpc: '2.0', id, error: { code: e.code, message: e.message } }
  }
}

const server = createServer(async (request, response) => {
  if (request.method === 'GET' && request.url === '/readyz') return response.end('ready\n')
  if (request.method !== 'POST' || request.url !== '/') return response.writeHead(404).end()
  try {
    const body = Buffer.from(JSON.stringify(answer(Buffer.concat(await request.toArray()).toString())))
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body)
  } catch { response.destroy() } // the caller went away
})
server.listen(Number(process.env.PORT || 8080), '127.0.0.1', () => console.error(`listening on port ${server.address().port}`))
process.on('SIGTERM', () => { server.close(); server.closeIdleConnections() })
