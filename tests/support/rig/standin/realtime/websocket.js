"use strict";
// As much of the WebSocket protocol as an echo needs: whole, short text frames.

function textFrame(text) {
	const body = Buffer.from(text);
	const head = body.length < 126 ? Buffer.from([0x81, body.length]) : Buffer.from([0x81, 126, 0, 0]);
	if (body.length >= 126) head.writeUInt16BE(body.length, 2);
	return Buffer.concat([head, body]);
}

function take(buffer) {
	if (buffer.length < 2) return null;
	let length = buffer[1] & 0x7f;
	let at = 2;
	if (length === 126) {
		if (buffer.length < 4) return null;
		length = buffer.readUInt16BE(2);
		at = 4;
	}
	const masked = (buffer[1] & 0x80) !== 0;
	const mask = masked ? buffer.subarray(at, at + 4) : Buffer.alloc(4);
	at += masked ? 4 : 0;
	if (buffer.length < at + length) return null;
	const body = Buffer.from(buffer.subarray(at, at + length)).map((byte, i) => byte ^ mask[i % 4]);
	return { kind: buffer[0] & 0x0f, body, rest: buffer.subarray(at + length) };
}

function frames(socket, onText) {
	let pending = Buffer.alloc(0);
	socket.on("data", (data) => {
		pending = Buffer.concat([pending, data]);
		for (let frame = take(pending); frame; frame = take(pending)) {
			pending = frame.rest;
			if (frame.kind === 1) onText(frame.body.toString());
			if (frame.kind === 8) socket.end(Buffer.from([0x88, 0]));
			if (frame.kind === 9) socket.write(Buffer.from([0x8a, 0]));
		}
	});
}

module.exports = { frames, textFrame };
