FROM registry.example/shop/web:${version}
COPY prices.conf /app/prices.conf
ENV CONFIG=/app/prices.conf
