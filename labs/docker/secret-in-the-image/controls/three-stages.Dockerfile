FROM registry.example/supplier/depot:1 AS depot

FROM registry.example/shop/web:${version} AS prices
COPY --from=depot /lists /lists
COPY --from=depot /tools /tools
ARG TOKEN
RUN ["/bin/sh", "/tools/fetch"]

FROM registry.example/shop/web:${version}
COPY --from=prices /app /app
ENV CONFIG=/app/prices.conf
