FROM registry.example/supplier/depot:1 AS prices
ARG TOKEN
RUN ["/bin/sh", "/tools/fetch"]

FROM registry.example/shop/web:${version}
ARG TOKEN
ENV TOKEN=$TOKEN
COPY --from=prices /app/prices.conf /app/prices.conf
ENV CONFIG=/app/prices.conf TOKEN=
