// The other side of the interop tests, on the Helia 5 family. Results are lines of JSON on standard output.
//
//   node interop.mjs cids N...            what ipfs-unixfs-importer calls bytes(n)
//   node interop.mjs fetch GATEWAY CID... what a Helia node gets from a trustless gateway
//   node interop.mjs serve N              a Helia node that adds bytes(n) and serves them until standard input ends
//   node interop.mjs car FILE             what @ipld/car finds in a CAR

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'

// Node 20 has not got it, and the packages use it.
Promise.withResolvers ??= function () {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}

const { CID } = await import('multiformats/cid')

// bytes is what interop_test.go makes, too.
function bytes (n) {
  const b = new Uint8Array(n)
  for (let i = 0, x = 1; i < n; i++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0
    b[i] = x >>> 16
  }
  return b
}

const say = (what) => console.log(JSON.stringify(what))

async function collect (source) {
  if (source instanceof Uint8Array) return source
  const parts = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

async function cids (sizes) {
  const { importer } = await import('ipfs-unixfs-importer')
  const { fixedSize } = await import('ipfs-unixfs-importer/chunker')
  const { balanced } = await import('ipfs-unixfs-importer/layout')
  const { MemoryBlockstore } = await import('blockstore-core')
  for (const size of sizes.map(Number)) {
    const content = [bytes(size)]
    let last
    for await (const entry of importer([{ content }], new MemoryBlockstore(), {
      cidVersion: 1,
      rawLeaves: true,
      reduceSingleLeafToSelf: true,
      chunker: fixedSize({ chunkSize: 1 << 20 }),
      layout: balanced({ maxChildrenPerNode: 1024 })
    })) last = entry
    say({ size, cid: last.cid.toString() })
  }
}

async function node (gateways) {
  const { createHeliaHTTP } = await import('@helia/http')
  const { trustlessGateway } = await import('@helia/block-brokers')
  const { httpGatewayRouting } = await import('@helia/routers')
  return createHeliaHTTP({
    blockBrokers: [trustlessGateway({ allowInsecure: true, allowLocal: true })],
    routers: [httpGatewayRouting({ gateways, shuffle: false })]
  })
}

async function fetchFrom (gateway, names) {
  const { unixfs } = await import('@helia/unixfs')
  const helia = await node([gateway])
  for (const name of names) {
    const b = await collect(unixfs(helia).cat(CID.parse(name)))
    say({ cid: name, size: b.length, sha256: createHash('sha256').update(b).digest('hex') })
  }
  await helia.stop()
}

async function serve (size) {
  const { unixfs } = await import('@helia/unixfs')
  const helia = await node([])
  const root = await unixfs(helia).addBytes(bytes(size))
  const get = async (cid) => collect(await helia.blockstore.get(cid))
  const raw = await listen(gateway(get))
  const car = await listen(gateway(get, true))
  const corrupt = await listen(gateway(async (cid) => {
    const b = Uint8Array.from(await get(cid))
    b[b.length >> 1] ^= 1
    return b
  }))
  say({ cid: root.toString(), raw, car, corrupt })
  process.stdin.on('end', () => process.exit(0)).resume()
}

// gateway is the least of a trustless gateway: blocks, and the whole below a CID as a CAR where that is wanted.
function gateway (get, cars = false) {
  return async (req, res) => {
    const url = new URL(req.url, 'http://localhost')
    try {
      const cid = CID.parse(url.pathname.replace(/^\/ipfs\//, ''))
      if (url.searchParams.get('format') === 'raw') {
        const block = await get(cid)
        res.writeHead(200, { 'Content-Type': 'application/vnd.ipld.raw' }).end(block)
      } else if (cars) {
        res.writeHead(200, { 'Content-Type': 'application/vnd.ipld.car; version=1; order=dfs; dups=n' })
        await writeCAR(cid, get, res)
      } else {
        res.writeHead(406).end()
      }
    } catch (err) {
      console.error(err)
      res.headersSent ? res.destroy() : res.writeHead(404).end()
    }
  }
}

async function writeCAR (root, get, res) {
  const { CarWriter } = await import('@ipld/car')
  const dagPB = await import('@ipld/dag-pb')
  const { writer, out } = CarWriter.create([root])
  const sent = new Set()
  const walk = async (cid) => {
    if (sent.has(cid.toString())) return
    sent.add(cid.toString())
    const block = await get(cid)
    await writer.put({ cid, bytes: block })
    if (cid.code !== dagPB.code) return
    for (const link of dagPB.decode(block).Links) await walk(link.Hash)
  }
  const written = walk(root).then(() => writer.close())
  await Promise.all([written, new Promise((resolve, reject) => {
    Readable.from(out).pipe(res).on('finish', resolve).on('error', reject)
  })])
}

async function listen (handler) {
  const server = createServer(handler)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}`
}

async function readCAR (file) {
  const { CarBlockIterator } = await import('@ipld/car')
  const blocks = await CarBlockIterator.fromIterable(createReadStream(file))
  const found = []
  for await (const { cid, bytes } of blocks) {
    const ok = createHash('sha256').update(bytes).digest().equals(Buffer.from(cid.multihash.digest))
    found.push({ cid: cid.toString(), size: bytes.length, ok })
  }
  say({ version: blocks.version, roots: (await blocks.getRoots()).map(String), blocks: found })
}

const [command, ...args] = process.argv.slice(2)
await { cids, fetch: ([from, ...names]) => fetchFrom(from, names), serve: ([n]) => serve(Number(n)), car: ([file]) => readCAR(file) }[command](args)
