FROM registry.example/supplier/depot:1 AS prices
ARG TOKEN
RUN ["/bin/sh", "/tools/fetch"]

FROM registry.example/shop/web:${version}
ARG TOKEN
COPY --from=prices /app/prices.conf /app/prices.conf
RUN ["/bin/sh", "-c", "echo list fetched"]
ENV CONFIG=/app/prices.conf
