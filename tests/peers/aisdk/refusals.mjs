// Errors before a stream, in the shape of either service (kai.md §12).

const STATUS = { bad_request: 400, unauthorized: 401, forbidden: 403, not_found: 404, offline: 503 };

export class Refusal extends Error {
  constructor(type, surface, message, cause) {
    super(message);
    this.status = STATUS[type];
    this.parts = { type, surface, message, cause };
  }

  body(service) {
    const { type, surface, message, cause } = this.parts;
    if (service === 'agent') return { error: { type, surface, message, exceptionId: 'KAI-1' } };
    return { code: `${type}:${surface}`, message, ...(cause === undefined ? {} : { cause }) };
  }
}
